/** Zones that the user drew: circles and polygons. No fix in a zone is ever deposited. Pure. */
import { distanceM } from './place.ts'

export interface CircleZone {
  lat: number
  lng: number
  radiusM: number
}
export interface PolygonZone {
  /** Corners in order, at least three; sides are straight in degrees. */
  corners: { lat: number; lng: number }[]
}
export type ZoneShape = CircleZone | PolygonZone
export interface Zone {
  id: string
  shape: ZoneShape
}

const CORNERS_MAX = 1_000
/** More zones would make every fix slow, and no user draws so many. */
export const ZONES_MAX = 200

export function isInZone(shape: ZoneShape, lat: number, lng: number): boolean {
  if ('corners' in shape) return isInPolygon(shape.corners, lat, lng)
  return distanceM(shape, { lat, lng }) <= shape.radiusM
}

/** Throws RangeError unless the shape is a circle or polygon of positions in degrees. */
export function assertZoneShape(shape: ZoneShape): void {
  const corners = 'corners' in shape ? shape.corners : [shape]
  if ('corners' in shape && (corners.length < 3 || corners.length > CORNERS_MAX)) {
    throw new RangeError(`"corners" expected 3..${CORNERS_MAX} items, got ${corners.length}`)
  }
  for (const { lat, lng } of corners) {
    if (!(Math.abs(lat) <= 90) || !Number.isFinite(lng))
      throw new RangeError(`a zone expected positions in degrees, got ${lat}, ${lng}`)
  }
  if ('radiusM' in shape && !(shape.radiusM > 0))
    throw new RangeError(`"radiusM" expected more than 0, got ${shape.radiusM}`)
}

/** Counts crossings of the parallel through the point. Longitudes are taken relative to the point, so the date line needs no special case. */
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
