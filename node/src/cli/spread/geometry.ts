/** The middle and the corners of a counted cell, by h3-js. Nothing but drawing and exports depends on them. */
import type { RingPoint, SpreadPlace } from '@geotrace/core-wasm/spread'
import { cellToBoundary, cellToLatLng } from 'h3-js'

export function cellToPlace(cell: string): SpreadPlace {
  const [lat, lng] = cellToLatLng(cell)
  return { lat, lng }
}

/** Counterclockwise, not closed. */
export function cellToRing(cell: string): RingPoint[] {
  return cellToBoundary(cell).map(([lat, lng]) => [lng, lat])
}
