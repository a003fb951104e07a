/**
 * The rules by which a fix is dropped before anything is derived from it: too fast, near home, or in a zone. Pure. DESIGN.md
 * §9. A fix lies in a zone when its position or the middle of any hexagon that it could be hashed in does. So no deposited
 * cell has its middle in a zone.
 */
import type { Fix } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { cellToBoundary, cellToLatLng, latLngToCell } from 'h3-js'
import { toPlace } from './degrees.ts'
import { HOME_RESOLUTION } from './home.ts'
import { distanceM, type Place } from './place.ts'
import type { DepositDecision } from './redaction.ts'
import { isInZone } from './zone-geometry.ts'
import type { ZoneShape } from './zones.ts'

/** Layer A; its corners are the middles of the hexagons of layers B and C. */
const CELL_RESOLUTION = 12
/** Two fixes farther apart in time give no speed, because a flight must not silence the hours after it. */
const SPEED_GAP_MAX_MS = 15 * MINUTE_MS
/** Assumed for a fix without an accuracy. */
const UNKNOWN_ACCURACY_M = 30

/** The lowest speed between two fixes in metres a second, given their accuracy; 0 when the gap gives no speed. */
export function fixesToSpeed(before: Fix | undefined, fix: Fix): number {
  const gapMs = before === undefined ? 0 : Math.abs(fix.at - before.at)
  if (before === undefined || gapMs === 0 || gapMs > SPEED_GAP_MAX_MS) return 0
  const slackM = (before.accuracyM ?? UNKNOWN_ACCURACY_M) + (fix.accuracyM ?? UNKNOWN_ACCURACY_M)
  return Math.max(0, distanceM(before, fix) - slackM) / (gapMs / 1000)
}

/** The position of the fix, and the middles of all hexagons that it could be hashed in. */
export function fixToPositions({ lat, lng }: Place): Place[] {
  const cell = latLngToCell(lat, lng, CELL_RESOLUTION)
  return [{ lat, lng }, toPlace(cellToLatLng(cell)), ...cellToBoundary(cell).map(toPlace)]
}

export function isInHome(positions: readonly Place[], zone: ReadonlySet<string>): boolean {
  return zone.size > 0 && positions.some(({ lat, lng }) => zone.has(latLngToCell(lat, lng, HOME_RESOLUTION)))
}

export function isInZones(positions: readonly Place[], shapes: readonly ZoneShape[]): boolean {
  return shapes.some((shape) => positions.some(({ lat, lng }) => isInZone(shape, lat, lng)))
}

/** The facts about a hashed fix when its rows could go out. */
interface DepositFacts {
  /** The fix lies in a home or zone of today. */
  readonly isRedacted: boolean
  readonly isHomeKnown: boolean
  /** False from 22:00 to 05:00 local time, for fixes of that night. */
  readonly isNightOver: boolean
  /** The fix is of an evening or night, and near where that night was spent. Asked for only when it decides. */
  readonly isNearBed: () => boolean
}

/** Hold while home or the night may still turn out to be here; then drop what was near the bed. */
export function toDepositDecision({ isRedacted, isHomeKnown, isNightOver, isNearBed }: DepositFacts): DepositDecision {
  if (isRedacted) return 'drop'
  if (!isHomeKnown || !isNightOver) return 'hold'
  return isNearBed() ? 'drop' : 'release'
}
