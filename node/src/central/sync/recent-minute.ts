/**
 * The minute that a sealed frame says it was made in. PROTOCOL.md §7.2. Otherwise a relay could keep a frame and bring it
 * later. Throws CLOCK_SKEWED.
 */
import { FederationError, MINUTE_MS } from '@geotrace/core-wasm/wire'

/** A relay that keeps a frame longer brings it in vain. Two clocks may differ by half of that. */
export const MINUTES_OFF_MAX = 10

export function assertRecentMinute(minute: number, nowMs: number): void {
  const off = Math.abs(minute - Math.floor(nowMs / MINUTE_MS))
  if (off <= MINUTES_OFF_MAX) return
  const reason = `a sync of a minute that is ${off} minutes off, expected at most ${MINUTES_OFF_MAX}`
  throw new FederationError('CLOCK_SKEWED', `${reason}: ask for the time by an empty sync`, {
    offsetMs: off * MINUTE_MS,
  })
}
