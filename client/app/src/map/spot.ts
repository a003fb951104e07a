/** Finds what lies at a tapped place: the nearest fix and the nearest exposure within the reach of a finger. Pure. */
import type { DiaryEntry, Exposure } from '@geotrace/client'
import { type Camera, type Size, toProjection } from './camera.ts'

export interface Spot {
  lat: number
  lng: number
}

const FIX_PX = 14
/** The outer ring of an exposure has this radius, and a finger is less exact than its tip. */
const RING_PX = 22

export function nearestFix(
  spot: Spot,
  camera: Camera,
  size: Size,
  fixes: readonly DiaryEntry[],
): DiaryEntry | undefined {
  return nearest(spot, camera, size, fixes, FIX_PX)
}

export function nearestExposure(
  spot: Spot,
  camera: Camera,
  size: Size,
  exposures: readonly Exposure[],
): Exposure | undefined {
  const shown = exposures.filter(({ verdict }) => verdict !== 'dismissed' && verdict !== 'archived')
  return nearest(spot, camera, size, shown, RING_PX)
}

function nearest<T extends Spot>(
  spot: Spot,
  camera: Camera,
  size: Size,
  items: readonly T[],
  reachPx: number,
): T | undefined {
  const projection = toProjection(camera, size)
  const toPx = ({ lat, lng }: Spot) => projection([lng, lat]) ?? [-1e6, -1e6]
  const [x, y] = toPx(spot) as [number, number]
  let found: { item: T; px: number } | undefined
  for (const item of items) {
    const [px, py] = toPx(item) as [number, number]
    const apart = Math.hypot(px - x, py - y)
    if (apart <= reachPx && apart < (found?.px ?? Number.POSITIVE_INFINITY)) found = { item, px: apart }
  }
  return found?.item
}
