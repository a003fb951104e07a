/**
 * A cap on traffic for devices: bytes a day, as a bucket that refills evenly and holds one day. node/README.md "Cost".
 * What members ask of each other is not counted against it: without it the node would fall out of the federation.
 */
import { DAY_MS, FederationError } from '@geotrace/core-wasm/wire'

/** Whoever comes back sooner finds little more in the bucket. */
const RETRY_MS = 60_000

export interface Allowance {
  /** `spentBytes` is the total since the start. Throws BUSY when nothing is left. */
  assert(spentBytes: number, nowMs: number): void
}

export function allowance(bytesPerDay: number, startMs: number): Allowance {
  let left = bytesPerDay
  let spent = 0
  let atMs = startMs
  return {
    assert(spentBytes, nowMs) {
      left = Math.min(bytesPerDay, left + (Math.max(0, nowMs - atMs) * bytesPerDay) / DAY_MS) - (spentBytes - spent)
      spent = spentBytes
      atMs = nowMs
      if (left <= 0) throw new FederationError('BUSY', 'the traffic cap is reached', { retryAfterMs: RETRY_MS })
    },
  }
}
