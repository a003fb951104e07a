/**
 * Limits the new users that come through one relay in a UTC day. Otherwise one member could fill the store with invented
 * users. PROTOCOL.md §7.6. The store counts them. Throws BUSY.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import type { CentralStore } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

interface NewUsers {
  /** Counts one new user. Throws BUSY with the time until the day ends. */
  admit(relay: Uint8Array): Promise<void>
}

interface NewUsersInit {
  store: Pick<CentralStore, 'count'>
  clock: Clock
  perRelay: number
}

/** The relays are members, of which there are at most a thousand. */
export function newUserBounds({ store, clock, perRelay }: NewUsersInit): NewUsers {
  return {
    async admit(relay) {
      const now = clock.now()
      const day = timeToDay(now)
      const step = { name: `new-users/${day}/${bytesToHex(relay)}`, until: day, add: 1, max: perRelay }
      if ((await store.count(step)) !== undefined) return
      const retryAfterMs = (day + 1) * DAY_MS - now
      throw new FederationError('BUSY', 'too many new users through this relay today: try another', { retryAfterMs })
    },
  }
}
