/**
 * The duty of a process of the central peer. Several processes may have one store open, and one of them has the lease. Only
 * that one joins gossip, votes, closes epochs, computes marks and runs the spread. All of them take syncs. PROTOCOL.md §8.
 */
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import { toCode } from '../../platform/disk-error.ts'
import type { Log } from '../../platform/log.ts'
import type { CentralStore, Lease } from '../store/central-store.ts'

const NAME = 'central'
/** Another process takes the lease over after this time without a renewal. */
const TTL_MS = 15_000
const RENEW_MS = 5_000

export interface Duty {
  /** Whether this process does the work that one process does. */
  readonly leads: boolean
  /** The lease of the leader; undefined for a follower, and for the only process of its store. */
  readonly lease?: Lease
}
export const ALONE: Duty = { leads: true }
const FOLLOWER: Duty = { leads: false }

export interface DutyRoster {
  /** Resolves when the first duty is taken up. Throws what stops it. */
  start(): Promise<void>
  /** Ends the changes of duty, runs `end`, and gives the lease back. */
  stop(end: () => Promise<void>): Promise<void>
}
interface DutyRosterInit {
  store: Pick<CentralStore, 'acquireLease' | 'renewLease' | 'releaseLease'>
  /** The name of this process, which no other process has. */
  holder: string
  clock: Clock
  log: Log
  /** Takes a duty up, in the place of the one before. Renewals go on meanwhile. */
  take(duty: Duty): Promise<void>
}

export function dutyRoster({ store, holder, clock, log, take }: DutyRosterInit): DutyRoster {
  const inTurn = oneAtATime()
  let lease: Lease | undefined
  let cancel = (): void => {}
  let isStopped = false
  let changing: Promise<void> = Promise.resolve()

  const change = (duty: Duty): Promise<void> => {
    const changed = changing.then(() => (isStopped ? undefined : take(duty)))
    // The next renewal that brings another duty tries again.
    changing = changed.catch((error: unknown) => log.error('lease.duty-failed', { code: toCode(error) }))
    return changed
  }
  /** A store that does not answer keeps the lease as it is: nobody else gets the lease meanwhile. */
  const renew = async (): Promise<void> => {
    const nowMs = clock.now()
    const next = await (lease === undefined
      ? store.acquireLease(NAME, holder, nowMs, TTL_MS)
      : store.renewLease(lease, nowMs, TTL_MS))
    if (next?.fence !== lease?.fence) {
      log.info('lease.changed', { holds: next !== undefined, fence: next?.fence ?? lease!.fence })
      void change(next === undefined ? FOLLOWER : { leads: true, lease: next }).catch(() => {})
    }
    lease = next
  }
  const round = (): Promise<void> =>
    inTurn(async () => {
      if (isStopped) return
      await renew().catch((error: unknown) => log.warn('lease.not-renewed', { code: toCode(error) }))
      if (!isStopped) cancel = clock.setTimer(() => void round(), RENEW_MS)
    })
  return {
    async start() {
      lease = await store.acquireLease(NAME, holder, clock.now(), TTL_MS)
      log.info('lease.changed', { holds: lease !== undefined, fence: lease?.fence ?? 0 })
      const first = change(lease === undefined ? FOLLOWER : { leads: true, lease })
      cancel = clock.setTimer(() => void round(), RENEW_MS)
      await first
    },
    async stop(end) {
      isStopped = true
      cancel()
      await inTurn(async () => {})
      await changing
      await end()
      if (lease !== undefined) await store.releaseLease(lease).catch(() => log.warn('lease.not-released'))
    },
  }
}
