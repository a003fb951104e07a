/** The polygon of an H3 cell, made by h3-js for drawing only. */
import { cellToBoundary } from 'h3-js'

/** Corners as [lng, lat] in the order that d3-geo expects; the ring is not closed. */
export type Ring = [number, number][]

export function cellToRing(cell: string): Ring {
  return cellToBoundary(cell).map(([lat, lng]) => [lng, lat])
}
