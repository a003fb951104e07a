/**
 * A rate limit on traffic for devices in bytes a day: a token bucket that refills evenly and holds one day. node/README.md
 * "Cost". Traffic between members is not limited, because a node without it would drop out of the federation.
 */
import { DAY_MS, FederationError } from '@geotrace/core-wasm/wire'

/** The bucket gains little in less time than this. */
const RETRY_MS = 60_000

interface Allowance {
  /** `spentBytes` is the total since the start. Throws BUSY when the bucket is empty. */
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
      if (left <= 0) throw new FederationError('BUSY', 'the daily traffic limit is reached', { retryAfterMs: RETRY_MS })
    },
  }
}
