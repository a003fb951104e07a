/** Turns the bytes of one vector tile into shapes to draw. Throws when the bytes are no vector tile. */
import { VectorTile, type VectorTileFeature } from '@mapbox/vector-tile'
import { PbfReader } from 'pbf'
import { AREAS, featureToKind, featureToNameKind, type Kind, placeToRank } from './kinds.ts'

/** Coordinates are shares of the tile's side, from its upper left corner. */
export interface Shape {
  readonly lines: readonly Float32Array[]
  readonly isArea: boolean
}
export interface RoadName {
  readonly name: string
  readonly line: Float32Array
  readonly rank: number
}
export interface PlaceName {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly rank: number
}
export interface Tile {
  readonly shapes: ReadonlyMap<Kind, Shape>
  readonly roads: readonly RoadName[]
  /** The most important first. */
  readonly places: readonly PlaceName[]
}

/** A tile of a dense city has some 40,000 points. A file with more is damaged or hostile. */
const POINTS_MAX = 400_000
const NAMES_MAX = 400
const NAME_MAX = 80

export function decodeTile(bytes: Uint8Array): Tile {
  const lines = new Map<Kind, Float32Array[]>()
  const roads: RoadName[] = []
  const places: PlaceName[] = []
  let points = 0
  for (const [name, layer] of Object.entries(new VectorTile(new PbfReader(bytes)).layers)) {
    for (let i = 0; i < layer.length; i++) {
      const feature = layer.feature(i)
      const kind = featureToKind(name, feature.properties, feature.type === 3)
      const named = featureToNameKind(name, feature.type === 1)
      const label = named === undefined ? undefined : toName(feature)
      if (kind === undefined && label === undefined) continue
      const rings = toLines(feature)
      points += rings.reduce((sum, ring) => sum + ring.length / 2, 0)
      if (points > POINTS_MAX) throw new RangeError(`a tile expected at most ${POINTS_MAX} points`)
      if (kind !== undefined) lines.set(kind, [...(lines.get(kind) ?? []), ...rings])
      if (label === undefined) continue
      if (named === 'road' && roads.length < NAMES_MAX)
        roads.push(...rings.map((line) => ({ name: label, line, rank: i })))
      if (named === 'place' && places.length < NAMES_MAX) {
        const [at] = rings
        if (at !== undefined) places.push({ name: label, x: at[0]!, y: at[1]!, rank: placeToRank(feature.properties) })
      }
    }
  }
  const shapes = [...lines].map(([kind, all]) => [kind, { lines: all, isArea: AREAS.has(kind) }] as const)
  return { shapes: new Map(shapes), roads, places: places.sort((a, b) => a.rank - b.rank) }
}

function toName({ properties: { name } }: VectorTileFeature): string | undefined {
  return typeof name === 'string' && name !== '' ? name.slice(0, NAME_MAX) : undefined
}

function toLines(feature: VectorTileFeature): Float32Array[] {
  const { extent } = feature
  return feature.loadGeometry().map((ring) => Float32Array.from(ring.flatMap(({ x, y }) => [x / extent, y / extent])))
}
