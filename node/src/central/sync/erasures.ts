/**
 * Who erased themselves a moment ago: a sync that was on its way meanwhile must not bring them back. PROTOCOL.md §7.2.
 * In memory only: what is under way dies with the process, and a device that comes later has another secret.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, MINUTE_MS } from '@geotrace/core-wasm/wire'

/** Deadlines end every request within half a minute; a stalled machine may read what waited a little later. */
export const ERASED_MS = 10 * MINUTE_MS
/** About 150 bytes each. When it is full the oldest goes: whoever floods it wins nothing but ten minutes. */
export const ERASURES_MAX = 65_536

export interface Erasures {
  /** The user of this id erased itself, whether it was known or not. */
  note(id: Uint8Array): void
  /** Throws BUSY. */
  assertNone(id: Uint8Array): void
}

export function recentErasures(clock: Clock, max = ERASURES_MAX): Erasures {
  /** Ascending by time. */
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
      if (leftMs > 0) throw new FederationError('BUSY', 'this user was erased a moment ago', { retryAfterMs: leftMs })
    },
  }
}
