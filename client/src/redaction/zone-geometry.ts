/** Whether a position lies in a zone of the user. A file of its own, because redaction loads it late. Pure. */

import { shorterTurn } from './degrees.ts'
import { distanceM, type Place } from './place.ts'
import type { ZoneShape } from './zones.ts'

export function isInZone(shape: ZoneShape, lat: number, lng: number): boolean {
  if ('corners' in shape) return isInPolygon(shape.corners, lat, lng)
  return distanceM(shape, { lat, lng }) <= shape.radiusM
}

interface Corner {
  readonly x: number
  readonly y: number
}

/** Counts the sides that a ray eastwards from the point crosses. The point is tried at every full turn that the ring spans. */
function isInPolygon(corners: readonly Place[], lat: number, lng: number): boolean {
  const ring = unwrap(corners)
  const [west, east] = [Math.min(...ring.map(({ x }) => x)), Math.max(...ring.map(({ x }) => x))]
  for (let x = lng - 360 * Math.floor((lng - west) / 360); x <= east; x += 360) {
    if (isInside(ring, { x, y: lat })) return true
  }
  return false
}

/**
 * The corners in a plane, each side drawn the shorter way round the Earth. So a ring across the 180th meridian stays whole
 * and reaches no place on the other side of the Earth. A ring round a pole is closed along that pole.
 */
function unwrap(corners: readonly Place[]): Corner[] {
  const [first] = corners as [Place]
  let x = first.lng
  const ring: Corner[] = []
  for (const [i, corner] of corners.entries()) {
    if (i > 0) x += shorterTurn(corners[i - 1]!.lng, corner.lng)
    ring.push({ x, y: corner.lat })
  }
  const end = x + shorterTurn(corners.at(-1)!.lng, first.lng)
  if (Math.abs(end - first.lng) < 180) return ring
  const pole = corners.reduce((sum, { lat }) => sum + lat, 0) < 0 ? -90 : 90
  return [...ring, { x: end, y: first.lat }, { x: end, y: pole }, { x: first.lng, y: pole }]
}

function isInside(ring: readonly Corner[], point: Corner): boolean {
  let inside = false
  for (const [i, a] of ring.entries()) {
    const b = ring[(i + 1) % ring.length]!
    if (a.y > point.y === b.y > point.y) continue
    if (a.x + ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) > point.x) inside = !inside
  }
  return inside
}
