/**
 * Limits the new users from one address in a UTC day, so that one machine cannot fill the store. PROTOCOL.md §8.
 * The limits are generous, because a school or a carrier may share one address. Counts stay in memory, so that no
 * address reaches the disk; a restart resets them. Throws QUOTA_SPENT.
 */
import type { Clock } from '@geotrace/core-wasm'
import { DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import type { Requester } from '../../net/protocol.ts'
import { timeToDay } from '../store/day.ts'

/**
 * Prefixes and fences counted in a day, about 100 bytes each. When the table is full, new users from further addresses
 * are refused until the day ends; known users are not.
 */
export const NEW_USER_TABLE_MAX = 262_144

interface NewUsers {
  /**
   * Counts one new user of this requester; all requesters without an IP address count together. Throws QUOTA_SPENT with
   * the time until the day ends.
   */
  admit(from: Requester): void
}

export function newUserBounds(init: { clock: Clock; perPrefix: number; perFence: number }): NewUsers {
  const { clock, perPrefix, perFence } = init
  let day = 0
  let counts = new Map<string, number>()
  return {
    admit({ prefix, fence }) {
      const now = clock.now()
      if (timeToDay(now) !== day) {
        day = timeToDay(now)
        counts = new Map()
      }
      const bounds: [key: string, max: number][] = [
        [`prefix ${prefix}`, perPrefix],
        [`fence ${fence}`, perFence],
      ]
      const isFull = counts.size >= NEW_USER_TABLE_MAX
      if (bounds.some(([key, max]) => (counts.get(key) ?? (isFull ? max : 0)) >= max)) {
        throw new FederationError('QUOTA_SPENT', 'too many new users from this address today', {
          retryAfterMs: (day + 1) * DAY_MS - now,
        })
      }
      for (const [key] of bounds) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
  }
}
