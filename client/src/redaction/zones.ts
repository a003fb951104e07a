/**
 * The zones that the user drew, and their bounds. README "Home and zones". No fix in a zone is ever deposited.
 * Throws RangeError.
 */
export interface CircleZone {
  lat: number
  lng: number
  radiusM: number
}
export interface PolygonZone {
  /** Corners in order, at least three; sides are straight in degrees and go the shorter way round the Earth. */
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
