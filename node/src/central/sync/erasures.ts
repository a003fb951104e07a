/**
 * Remembers recently erased users, so that a delayed sync does not create an erased user again. PROTOCOL.md §7.2.
 * The list stays in memory; processes that share a store also note the erasures of users that the store knew there. A
 * device uses a new secret after an erasure. Throws BUSY.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { CentralStore } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

/**
 * A frame is taken up to ten minutes before its minute and ten after. On a stalled machine the peer may read a waiting
 * request somewhat later.
 */
export const ERASED_MS = 25 * MINUTE_MS
/** About 150 bytes each. A full list drops its oldest entry; an attacker who floods it gains at most ERASED_MS. */
const ERASURES_MAX = 65_536

interface Erasures {
  /** Notes the erasure of this id, whether the store knew the user or not. */
  note(id: Uint8Array, isKnown: boolean): Promise<void>
  /** Throws BUSY for an id that was erased within ERASED_MS. */
  assertNone(id: Uint8Array): Promise<void>
}
interface ErasuresInit {
  clock: Clock
  store: Pick<CentralStore, 'capabilities' | 'count'>
  max?: number
}

export function recentErasures({ clock, store, max = ERASURES_MAX }: ErasuresInit): Erasures {
  /** Time of erasure by id, oldest first. */
  const erased = new Map<string, number>()
  const isShared = store.capabilities.writers === 'many'
  const refuse = (retryAfterMs: number): never => {
    const text = `this user was erased less than ${ERASED_MS / MINUTE_MS} minutes ago`
    throw new FederationError('BUSY', text, { retryAfterMs })
  }
  /** The counter of an id's erasures in a window of ERASED_MS. It does not name the id. */
  const inWindow = (id: Uint8Array, window: number, add: 0 | 1): Promise<number | undefined> => {
    const name = createHash('sha256').update('geotrace/erased\0').update(id).digest('hex').slice(0, 32)
    const until = timeToDay(clock.now())
    return store.count({ name: `erased/${window}/${name}`, until, add, max: 0xffffffff })
  }
  const windowNow = (): number => Math.floor(clock.now() / ERASED_MS)
  return {
    async note(id, isKnown) {
      const key = bytesToHex(id)
      erased.delete(key)
      const [oldest] = erased.keys()
      if (erased.size >= max && oldest !== undefined) erased.delete(oldest)
      erased.set(key, clock.now())
      // Users that the store knew are as many as it has; strangers would fill it.
      if (isShared && isKnown) await inWindow(id, windowNow(), 1)
    },
    async assertNone(id) {
      const atMs = erased.get(bytesToHex(id))
      const leftMs = atMs === undefined ? 0 : atMs + ERASED_MS - clock.now()
      if (leftMs > 0) refuse(leftMs)
      if (!isShared) return
      for (const window of [windowNow(), windowNow() - 1])
        if (((await inWindow(id, window, 0)) ?? 1) > 0) refuse(ERASED_MS)
    },
  }
}
