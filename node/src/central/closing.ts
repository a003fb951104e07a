/**
 * Closes epochs hourly: the store orders their rows, so that a report reads little of them. PROTOCOL.md §8. An epoch closes
 * four hours after its end, when most of its rows are there. It closes again for the rows that come later. Each closing
 * leaves one run more to look into, so there are few.
 */
import type { Clock, OneAtATime } from '@geotrace/core-wasm'
import { DEPOSIT_WINDOW_MS, EPOCH_MS, HOUR_MS } from '@geotrace/core-wasm/wire'
import type { Log } from '../platform/log.ts'
import { type Rounds, rounds } from './rounds.ts'
import type { CentralStore } from './store/central-store.ts'

/** Ages of an epoch, from its end, at which it closes. The last one comes after its last deposit. */
const CLOSING_AGES_MS = [4 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS, DEPOSIT_WINDOW_MS + HOUR_MS]

interface ClosingInit {
  store: Pick<CentralStore, 'epochs' | 'closeEpoch'>
  clock: Clock
  /** Runs a task while retention drops no day. */
  exclusive: OneAtATime
  /** Called after each round. */
  closed(): void
  log: Log
}

/** Whether an epoch reached one of its ages between two times. Pure. */
export function isDue(epoch: number, afterMs: number, nowMs: number): boolean {
  const endMs = (epoch + 1) * EPOCH_MS
  return CLOSING_AGES_MS.some((age) => endMs + age > afterMs && endMs + age <= nowMs)
}

export function closing({ store, clock, exclusive, closed, log }: ClosingInit): Rounds {
  // The first round closes every epoch that has ended long enough ago: what a stop or a kill left.
  let afterMs = Number.NEGATIVE_INFINITY

  const task = async (isStopped: () => boolean): Promise<void> => {
    const nowMs = clock.now()
    for (const epoch of await store.epochs()) {
      if (isStopped()) return
      if (isDue(epoch, afterMs, nowMs)) await exclusive(() => store.closeEpoch(epoch))
    }
    afterMs = nowMs
    closed()
  }
  return rounds({ task, everyMs: HOUR_MS, clock, log, failure: 'store.not-closed' })
}
