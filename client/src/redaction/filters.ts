/**
 * What is dropped before anything is derived from it: fixes too inaccurate or too fast, and what lies near home or in a
 * zone. Pure. DESIGN.md §9. A fix lies in a zone when itself or the middle of any hexagon it could be hashed in does,
 * so no deposited cell has its middle in a zone.
 */
import type { Fix } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { cellToBoundary, cellToLatLng, latLngToCell } from 'h3-js'
import { HOME_RESOLUTION } from './home.ts'
import { distanceM, type Place } from './place.ts'
import { isInZone, type ZoneShape } from './zones.ts'

/** Layer A; its corners are the middles of the hexagons of layers B and C. */
const CELL_RESOLUTION = 12
/** Two fixes farther apart in time say nothing about speed: a flight must not mute the hours after it. */
const SPEED_GAP_MAX_MS = 15 * MINUTE_MS
/** What a fix without an accuracy is trusted to. */
const UNKNOWN_ACCURACY_M = 30

/** Metres a second that the device must have moved at least between two fixes; 0 when that cannot be told. */
export function fixesToSpeed(before: Fix | undefined, fix: Fix): number {
  const gapMs = before === undefined ? 0 : Math.abs(fix.at - before.at)
  if (before === undefined || gapMs === 0 || gapMs > SPEED_GAP_MAX_MS) return 0
  const slackM = (before.accuracyM ?? UNKNOWN_ACCURACY_M) + (fix.accuracyM ?? UNKNOWN_ACCURACY_M)
  return Math.max(0, distanceM(before, fix) - slackM) / (gapMs / 1000)
}

/** The fix and the middles of every hexagon it could be hashed in. */
export function fixToPlaces({ lat, lng }: Place): Place[] {
  const cell = latLngToCell(lat, lng, CELL_RESOLUTION)
  return [{ lat, lng }, toPlace(cellToLatLng(cell)), ...cellToBoundary(cell).map(toPlace)]
}

export function isInHome(places: readonly Place[], zone: ReadonlySet<string>): boolean {
  return zone.size > 0 && places.some(({ lat, lng }) => zone.has(latLngToCell(lat, lng, HOME_RESOLUTION)))
}

export function isInZones(places: readonly Place[], shapes: readonly ZoneShape[]): boolean {
  return shapes.some((shape) => places.some(({ lat, lng }) => isInZone(shape, lat, lng)))
}

function toPlace([lat, lng]: readonly number[]): Place {
  return { lat: lat!, lng: lng! }
}
