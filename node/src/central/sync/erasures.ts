/**
 * Remembers recently erased users, so that a delayed sync does not create an erased user again. PROTOCOL.md §7.2.
 * The list stays in memory. A device uses a new secret after an erasure.
 * Throws BUSY.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, MINUTE_MS } from '@geotrace/core-wasm/wire'

/**
 * A frame is taken up to ten minutes before its minute and ten after. On a stalled machine the peer may read a waiting
 * request somewhat later.
 */
export const ERASED_MS = 25 * MINUTE_MS
/** About 150 bytes each. A full list drops its oldest entry; an attacker who floods it gains at most ERASED_MS. */
const ERASURES_MAX = 65_536

interface Erasures {
  /** Notes the erasure of this id, whether the store knew the user or not. */
  note(id: Uint8Array): void
  /** Throws BUSY for an id that was erased within ERASED_MS. */
  assertNone(id: Uint8Array): void
}

export function recentErasures(clock: Clock, max = ERASURES_MAX): Erasures {
  /** Time of erasure by id, oldest first. */
  const erased = new Map<string, number>()
  return {
    note(id) {
      const key = bytesToHex(id)
      erased.delete(key)
      const [oldest] = erased.keys()
      if (erased.size >= max && oldest !== undefined) erased.delete(oldest)
      erased.set(key, clock.now())
    },
    assertNone(id) {
      const atMs = erased.get(bytesToHex(id))
      const leftMs = atMs === undefined ? 0 : atMs + ERASED_MS - clock.now()
      if (leftMs > 0)
        throw new FederationError('BUSY', `this user was erased less than ${ERASED_MS / MINUTE_MS} minutes ago`, {
          retryAfterMs: leftMs,
        })
    },
  }
}
