/** When people of a replay sync: at full hours of the simulated clock. Pure. */
import type { SyncResult } from '@geotrace/client'
import { DAY_MS, HOUR_MS, timeToEpoch } from '@geotrace/core-wasm/wire'

/** A client holds rows until it knows the place of a night. Half a day later it may know that place. */
const HELD_MS = 11 * HOUR_MS

interface Schedule<T> {
  readonly size: number
  add(at: number, item: T): void
  /** Removes and returns the earliest time with its items; undefined when the schedule is empty. */
  next(): { at: number; due: T[] } | undefined
}

export function schedule<T>(): Schedule<T> {
  const times = new Map<number, Set<T>>()
  return {
    get size() {
      return times.size
    },
    add: (at, item) => void times.set(at, (times.get(at) ?? new Set()).add(item)),
    next() {
      if (times.size === 0) return undefined
      const at = Math.min(...times.keys())
      const due = [...times.get(at)!]
      times.delete(at)
      return { at, due }
    },
  }
}

/** The first full hour after `at`. */
export function nextHour(at: number): number {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS
}

/** The full hour of the next sync after a sync at `at`; undefined when nothing is pending. */
export function nextSync(at: number, { fixesDeferred, fixesAgain, fixesHeld }: SyncResult): number | undefined {
  if (fixesDeferred + fixesAgain > 0) return nextHour(at)
  return fixesHeld > 0 ? nextHour(at) + HELD_MS : undefined
}

/** The shortest roster period without a boundary in `days` from `fromMs` and the day before, so that one roster serves. */
export function periodAround(fromMs: number, days: number): number {
  const [first, last] = [timeToEpoch(fromMs - DAY_MS), timeToEpoch(fromMs + days * DAY_MS)]
  let period = last - first
  while (Math.floor(first / period) !== Math.floor(last / period)) period++
  return period
}
