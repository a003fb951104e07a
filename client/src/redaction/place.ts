/** Positions, their distances and turns on the device: for filters and for grouping exposures, never for a hash. */
export interface Place {
  readonly lat: number
  readonly lng: number
}

/** Mean Earth radius, metres (IUGG). */
const EARTH_RADIUS_M = 6_371_008.8
const RADIANS = Math.PI / 180

/** From the pairs of h3-js. */
export function toPlace([lat, lng]: readonly number[]): Place {
  return { lat: lat!, lng: lng! }
}

/** Great-circle distance by the haversine formula, metres. */
export function distanceM(a: Place, b: Place): number {
  const lat = Math.sin(((b.lat - a.lat) * RADIANS) / 2)
  const lng = Math.sin(((b.lng - a.lng) * RADIANS) / 2)
  const chord = lat * lat + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * lng * lng
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)))
}

/**
 * The turn from one longitude to another by the shorter way, -180 … 180 degrees. A turn of exactly 180 keeps its sign, so
 * that a way there and back ends where it began.
 */
export function shorterTurn(from: number, to: number): number {
  const turn = to - from
  return turn - 360 * Math.sign(turn) * Math.ceil(Math.abs(turn) / 360 - 0.5)
}
