/**
 * Polygons of the three layers' hexagons and of regions, made by h3-js for drawing only; hashes never use them.
 * PROTOCOL.md §3.1. A hexagon of layer B or C lies around a corner of layer A. Its own corners are the centres of the
 * three cells that meet there and the three corners next to it.
 */
import type { Core } from '@geotrace/core-wasm'
import {
  cellToCenterChild,
  cellToLatLng,
  cellToVertexes,
  gridDisk,
  latLngToCell,
  POLYGON_TO_CELLS_FLAGS,
  polygonToCellsExperimental,
  vertexToLatLng,
} from 'h3-js'
import type { Bounds } from './camera.ts'
import { cellToRing, type Ring } from './cell-ring.ts'
import { arcToParts } from './longitude.ts'

export const CELL_RESOLUTION = 12
const REGION_RESOLUTION = 4

export interface FixHexagons {
  ids: [string, string, string]
  rings: [Ring, Ring, Ring]
}

const swap = ([lat, lng]: readonly number[]): [number, number] => [lng!, lat!]

/** The three hexagons of a position; the ids are those of the core. */
export function positionToHexagons(core: Core, lat: number, lng: number): FixHexagons {
  const [a, b, c] = core.fixToCells(lat, lng).map((id) => id.toString(16)) as [string, string, string]
  return { ids: [a, b, c], rings: [cellToRing(a), cornerToRing(b, a), cornerToRing(c, a)] }
}

/** The hexagon around corner `vertex` of `cell`. */
export function cornerToRing(vertex: string, cell: string): Ring {
  const points: Ring = []
  const corners = new Set<string>()
  for (const near of gridDisk(cell, 1)) {
    const around = cellToVertexes(near)
    const at = around.indexOf(vertex)
    if (at < 0) continue
    points.push(swap(cellToLatLng(near)))
    corners.add(around[(at + 1) % around.length]!)
    corners.add(around[(at + around.length - 1) % around.length]!)
  }
  for (const corner of corners) points.push(swap(vertexToLatLng(corner)))
  const [lng, lat] = swap(vertexToLatLng(vertex))
  const flat = Math.cos((lat * Math.PI) / 180)
  const angle = ([x, y]: [number, number]) => Math.atan2(y - lat, (x - lng - 360 * Math.round((x - lng) / 360)) * flat)
  return points.sort((p, q) => angle(p) - angle(q))
}

export interface RegionOnMap {
  region: number
  shard: number
  ring: Ring
  middle: [number, number]
}

/** Regions that overlap a part of the world, each with its shard. A part across the 180th meridian is filled in two pieces. */
export function regionsIn(core: Core, { south, north, west, wide }: Bounds, shards: number): RegionOnMap[] {
  const cells = arcToParts({ west, wide }).flatMap(([from, to]) =>
    polygonToCellsExperimental(
      [
        [south, from],
        [south, to],
        [north, to],
        [north, from],
      ],
      REGION_RESOLUTION,
      POLYGON_TO_CELLS_FLAGS.containmentOverlapping,
    ),
  )
  return [...new Set(cells)].map((cell) => {
    const region = core.cellToRegion(BigInt(`0x${cellToCenterChild(cell, CELL_RESOLUTION)}`))
    return {
      region,
      shard: core.regionToShard(region, shards),
      ring: cellToRing(cell),
      middle: swap(cellToLatLng(cell)),
    }
  })
}

let grid: { middle: string; rings: number; cells: Ring[] } | undefined

/** Cells of layer A up to `rings` rings around a place. The last answer is cached, because most repaints need it again. */
export function gridAround(lat: number, lng: number, rings: number): Ring[] {
  const middle = latLngToCell(lat, lng, CELL_RESOLUTION)
  if (grid?.middle !== middle || grid.rings !== rings) {
    grid = { middle, rings, cells: gridDisk(middle, rings).map(cellToRing) }
  }
  return grid.cells
}
