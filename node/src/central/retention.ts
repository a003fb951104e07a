/**
 * Retention: the store drops whole UTC days that are older than the manifest's retentionDays. PROTOCOL.md §8.
 * No clock alone decides, because a drop cannot be undone. A day is old when three clocks agree: this machine's, the
 * median of the peers' clocks, and the first epoch of the newest certified roster. A sweep drops one day at most.
 */
import type { Clock, OneAtATime } from '@geotrace/core-wasm'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { toCode } from '../platform/disk-error.ts'
import type { Log } from '../platform/log.ts'
import type { CentralStore } from './store/central-store.ts'
import { dayToFirstEpoch, epochToDay, timeToDay } from './store/day.ts'

/** Sweeps come hourly, so that a peer that was off for two weeks has dropped its old days within a day. */
const SWEEP_MS = HOUR_MS
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

/**
 * The day before which the next sweep drops everything: `oldest`, the first day with rows, goes and no other. Undefined
 * when nothing is old enough. Pure.
 */
export function nextFloor(limit: number, floor: number, oldest: number | undefined): number | undefined {
  const next = Math.min(limit, Math.max(floor, oldest ?? limit) + 1)
  return next > floor ? next : undefined
}

export interface Retention {
  /** Sweeps now and then hourly. Resolves after the first sweep. */
  start(): Promise<void>
  /** Resolves when no sweep runs any more. */
  stop(): Promise<void>
}
interface RetentionInit {
  store: CentralStore
  clock: Clock
  retentionDays: number
  /** The median of the peers' clocks in Unix ms; undefined when no peer answers. */
  peersMs(): Promise<number | undefined>
  /** The first moment of the newest certified roster in Unix ms; undefined without a roster. */
  rosterMs(): number | undefined
  /** Runs a task while the risk engine computes no marks. */
  exclusive: OneAtATime
  log: Log
}

export function retention(init: RetentionInit): Retention {
  const { store, clock, retentionDays, peersMs, rosterMs, exclusive, log } = init
  let cancel = (): void => {}
  let stopped = false
  let running: Promise<void> = Promise.resolve()

  /** The earliest of the three clocks; undefined while one of them is unknown. */
  const agreedMs = async (): Promise<number | undefined> => {
    const [peers, roster] = [await peersMs(), rosterMs()]
    if (peers === undefined || roster === undefined) return undefined
    return Math.min(clock.now(), peers, roster)
  }
  const sweep = async (): Promise<void> => {
    const ownLimit = Math.max(0, retentionToDay(clock.now(), retentionDays))
    if (ownLimit <= store.floor()) return
    const nowMs = await agreedMs()
    const limit = nowMs === undefined ? 0 : Math.max(0, retentionToDay(nowMs, retentionDays))
    if (limit < ownLimit) log.warn('retention.waits', { days: ownLimit - Math.max(limit, store.floor()) })
    const [oldest] = await store.epochs()
    const day = nextFloor(limit, store.floor(), oldest === undefined ? undefined : epochToDay(oldest))
    if (day === undefined) return
    const gone = await exclusive(() => store.dropBefore(day))
    log.info('retention.swept', { days: gone })
  }
  const run = async (): Promise<void> => {
    let delayMs = SWEEP_MS
    try {
      await sweep()
    } catch (error) {
      log.error('retention.failed', { code: toCode(error) })
      delayMs = AGAIN_MS
    }
    if (!stopped) cancel = clock.setTimer(() => void next(), delayMs)
  }

  const next = (): Promise<void> => {
    running = run()
    return running
  }

  return {
    start: next,
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}
