/** The scene that the map shows, and the tools of its painters. */
import type { DiaryEntry, Exposure, Fix, Zone } from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import type { GeoProjection } from 'd3-geo'
import type { Streets } from '../streets/street-map.ts'
import type { Land } from './base.ts'
import type { Bounds, Camera, Size } from './camera.ts'
import type { Ring } from './cell-ring.ts'
import type { NamedCity } from './places.ts'

export const LAYERS = ['streets', 'fixes', 'A', 'B', 'C', 'regions', 'hidden'] as const
export type Layer = (typeof LAYERS)[number]

export interface Scene {
  camera: Camera
  size: Size
  ratio: number
  land: Land | undefined
  /** Cities to name, the largest first. */
  cities: readonly NamedCity[]
  /** From a map file that the person added. */
  streets: Streets | undefined
  /** Paints how cells are matched, once the person asked for it. */
  matching: MatchingPainter | undefined
  /** Paints where reporters have been, once the person asked for it. */
  spread: SpreadPainter | undefined
  core: Core
  shards: number
  shown: ReadonlySet<Layer>
  fixes: readonly DiaryEntry[]
  exposures: readonly Exposure[]
  zones: readonly Zone[]
  homeCells: readonly string[]
  position: Fix | undefined
  selected: { lat: number; lng: number } | undefined
  words: MapWords
}

/** The texts on the map, in the person's language. */
export interface MapWords {
  hiddenHome: string
  shard: (shard: number) => string
  region: (region: number) => string
}

/** matching.ts, which loads when the person asks for it. */
export interface MatchingPainter {
  paintRegions(scene: Scene, pen: Pen): void
  paintGrid(scene: Scene, pen: Pen): void
  paintHexagons(scene: Scene, pen: Pen): void
}

/** spread/painter.ts, which loads when the person asks for it. */
export interface SpreadPainter {
  paint(scene: Scene, pen: Pen): void
}

export interface Pen {
  readonly context: CanvasRenderingContext2D
  readonly projection: GeoProjection
  readonly colours: Readonly<Record<string, string>>
  readonly metresPerPixel: number
  trace(context: CanvasRenderingContext2D, ring: Ring, projection: GeoProjection, begin?: boolean): void
  text(context: CanvasRenderingContext2D, value: string, x: number, y: number, font: string): void
  toBounds(marginPx: number): Bounds
}
