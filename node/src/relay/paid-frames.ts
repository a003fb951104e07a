/**
 * Limits the frames that one token pays for. PROTOCOL.md §7.6. A token has a leaky bucket stored as one time (GCRA), whatever
 * the address. Times stay in memory, so a restart fills the buckets. Throws QUOTA_SPENT, TOKEN_REFUSED.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, HOUR_MS } from '@geotrace/core-wasm/wire'
import { type GoodToken, refused } from '../tokens/token-check.ts'
import { FRAMES_PER_DEVICE_HOUR, tooManyFrames } from './frame-bounds.ts'

/** Devices that send within an hour, about 100 bytes each. A full table refuses tokens, and an address still has frames. */
const TOKENS_MAX = 262_144
const INTERVAL_MS = HOUR_MS / FRAMES_PER_DEVICE_HOUR

interface PaidFrames {
  /** Counts one frame of a token that was checked. */
  admit(token: GoodToken): void
}

export function paidFrames(clock: Pick<Clock, 'now'>, tokensMax = TOKENS_MAX): PaidFrames {
  const times = new Map<string, number>()
  return {
    admit({ name }) {
      const now = clock.now()
      const key = bytesToHex(name)
      // The clock may have been set back meanwhile.
      const after = Math.min(Math.max(times.get(key) ?? now, now), now + HOUR_MS) + INTERVAL_MS
      if (after > now + HOUR_MS) throw tooManyFrames('this token', after - now - HOUR_MS)
      // A time that passed is a full bucket, as is no time.
      if (times.size >= tokensMax) for (const [other, time] of times) if (time <= now) times.delete(other)
      if (times.size >= tokensMax && !times.has(key)) throw refused('this relay has buckets for no more devices now')
      times.set(key, after)
    },
  }
}
