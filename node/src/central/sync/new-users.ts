/**
 * How many new users one address may bring in a UTC day. PROTOCOL.md §8.
 * Generous, since a school or a carrier may share one address; what it stops is one machine filling the store. Counts
 * live in memory only, so that no address is on disk, and a restart begins anew.
 */
import type { Clock } from '@geotrace/core-wasm'
import { DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import type { Requester } from '../../net/protocol.ts'
import { timeToDay } from '../store/day.ts'

/** Prefixes and fences counted in a day, about 100 bytes each; when it is full newUserBounds wait, known users do not. */
export const NEW_USER_TABLE_MAX = 262_144

export interface NewUsers {
  /** Throws QUOTA_SPENT until the day ends. */
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
      // What comes without an address comes through one door.
      const bounds: [key: string, max: number][] = [
        [`prefix ${prefix}`, perPrefix],
        [`fence ${fence}`, perFence],
      ]
      const isFull = counts.size >= NEW_USER_TABLE_MAX
      if (bounds.some(([key, max]) => (counts.get(key) ?? (isFull ? max : 0)) >= max)) {
        throw new FederationError('QUOTA_SPENT', 'too many new users from here today', {
          retryAfterMs: (day + 1) * DAY_MS - now,
        })
      }
      for (const [key] of bounds) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
  }
}
