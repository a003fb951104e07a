/** Decides whether a position lies in a circle or polygon. Pure. Loaded with the redactor, not with the first load. */
import { distanceM } from './place.ts'
import type { ZoneShape } from './zones.ts'

export function isInZone(shape: ZoneShape, lat: number, lng: number): boolean {
  if ('corners' in shape) return isInPolygon(shape.corners, lat, lng)
  return distanceM(shape, { lat, lng }) <= shape.radiusM
}

/** Counts crossings of the parallel through the point. Longitudes relative to it need no special case at the date line. */
function isInPolygon(corners: readonly { lat: number; lng: number }[], lat: number, lng: number): boolean {
  const points = corners.map((corner) => ({ y: corner.lat - lat, x: around(corner.lng - lng) }))
  let inside = false
  for (const [i, a] of points.entries()) {
    const b = points[(i + 1) % points.length]!
    if (a.y > 0 === b.y > 0) continue
    if (a.x + ((b.x - a.x) * -a.y) / (b.y - a.y) > 0) inside = !inside
  }
  return inside
}

function around(degrees: number): number {
  return degrees - 360 * Math.round(degrees / 360)
}
