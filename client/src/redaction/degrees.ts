/** Pairs of degrees as h3-js gives them, and longitudes without an edge at 180°. Pure. */
import type { Place } from './place.ts'

/**
 * The turn from one longitude to another by the shorter way, -180 … 180 degrees. A turn of exactly 180 keeps its sign, so
 * that a way there and back ends where it began.
 */
export function shorterTurn(from: number, to: number): number {
  const turn = to - from
  return turn - 360 * Math.sign(turn) * Math.ceil(Math.abs(turn) / 360 - 0.5)
}

/** From the pairs of h3-js. */
export function toPlace([lat, lng]: readonly number[]): Place {
  return { lat: lat!, lng: lng! }
}
