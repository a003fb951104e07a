/**
 * Retention: the store drops whole UTC days that are older than the manifest's retentionDays. PROTOCOL.md §8.
 * A sweep runs at the start, however long the peer was off, and after each midnight of the injected clock.
 */
import type { Clock, OneAtATime } from '@geotrace/core-wasm'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import type { Log } from '../platform/log.ts'
import type { CentralStore } from './store/central-store.ts'
import { dayToFirstEpoch, timeToDay } from './store/day.ts'

/** Delay after a failed sweep, for example on a full disk. */
const AGAIN_MS = 10 * 60_000

/** The first UTC day that the store keeps at `nowMs`: it keeps today and `retentionDays` whole days before. */
export function retentionToDay(nowMs: number, retentionDays: number): number {
  return timeToDay(nowMs) - retentionDays
}

/** The first epoch that the store keeps at `nowMs`. */
export function retentionToEpoch(nowMs: number, retentionDays: number): number {
  return Math.max(0, dayToFirstEpoch(retentionToDay(nowMs, retentionDays)))
}

export interface Retention {
  start(): Promise<void>
  stop(): void
}
interface RetentionInit {
  store: CentralStore
  clock: Clock
  retentionDays: number
  /** Runs a task while the risk engine computes no marks. */
  exclusive: OneAtATime
  log: Log
}

export function retention({ store, clock, retentionDays, exclusive, log }: RetentionInit): Retention {
  let cancel = (): void => {}
  let stopped = false

  const sweep = async (): Promise<void> => {
    const gone = await exclusive(() => store.dropBefore(Math.max(0, retentionToDay(clock.now(), retentionDays))))
    if (gone > 0) log.info('central.days-dropped', { days: gone })
  }
  const plan = (delayMs: number): void => {
    if (stopped) return
    cancel = clock.setTimer(() => {
      sweep().then(
        () => plan(untilMidnight()),
        () => {
          log.error('central.retention-failed')
          plan(AGAIN_MS)
        },
      )
    }, delayMs)
  }
  const untilMidnight = (): number => DAY_MS - (clock.now() % DAY_MS)

  return {
    async start() {
      await sweep()
      plan(untilMidnight())
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}
