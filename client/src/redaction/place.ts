/** Positions and their distances on the device: for filters and for grouping exposures, never for a hash. */
export interface Place {
  readonly lat: number
  readonly lng: number
}

/** Mean Earth radius, metres (IUGG). */
const EARTH_RADIUS_M = 6_371_008.8
const RADIANS = Math.PI / 180

/** Great-circle distance by the haversine formula, metres. */
export function distanceM(a: Place, b: Place): number {
  const lat = Math.sin(((b.lat - a.lat) * RADIANS) / 2)
  const lng = Math.sin(((b.lng - a.lng) * RADIANS) / 2)
  const chord = lat * lat + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * lng * lng
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)))
}
