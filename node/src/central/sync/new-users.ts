/**
 * Limits the new users that come through one relay in a UTC day. Otherwise one member could fill the store with invented
 * users. PROTOCOL.md §7.6. A restart resets the counts. Throws BUSY.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import { timeToDay } from '../store/day.ts'

interface NewUsers {
  /** Counts one new user. Throws BUSY with the time until the day ends. */
  admit(relay: Uint8Array): void
}

/** The relays are members, of which there are at most a thousand. */
export function newUserBounds({ clock, perRelay }: { clock: Clock; perRelay: number }): NewUsers {
  let day = 0
  let counts = new Map<string, number>()
  return {
    admit(relay) {
      const now = clock.now()
      if (timeToDay(now) !== day) {
        day = timeToDay(now)
        counts = new Map()
      }
      const name = bytesToHex(relay)
      const count = counts.get(name) ?? 0
      if (count >= perRelay) {
        const retryAfterMs = (day + 1) * DAY_MS - now
        throw new FederationError('BUSY', 'too many new users through this relay today: try another', { retryAfterMs })
      }
      counts.set(name, count + 1)
    },
  }
}
