/**
 * The order of computations: one at a time, the report with the lowest number first, each report once however often it
 * was asked for. A computation starts some seconds after the request, so that no reply shares the process with the
 * computation that its own sync caused. Between two computations the queue rests for about as long as the last one worked.
 */
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import type { ReportId } from '../store/central-store.ts'

/** Longer than a reply takes. Marks reach a device with its next scheduled sync, an hour later. */
const DELAY_MS = 2_000
/** Units of work (slices.ts) in about a millisecond. */
const UNITS_PER_MS = 1_000

interface ComputationQueueInit {
  clock: Clock
  /** Computes a report and resolves with the units of work. Never rejects. */
  compute(report: ReportId): Promise<number>
}
interface ComputationQueue {
  add(report: ReportId, delayMs?: number): void
  remove(report: ReportId): void
  /** Computes everything that was asked for, without delay and rest. Resolves when nothing is left. */
  settled(): Promise<void>
  /** Runs a task while no computation runs. */
  alone<T>(task: () => Promise<T>): Promise<T>
  /** Starts no further computation. Resolves when none runs. */
  stop(): Promise<void>
  /** Reports that wait for the end of their computation. */
  readonly waiting: number
}

export function computationQueue({ clock, compute }: ComputationQueueInit): ComputationQueue {
  const due = new Set<ReportId>()
  const later = new Map<ReportId, () => void>()
  const alone = oneAtATime()
  let cancel: (() => void) | undefined
  let isStopped = false
  let running = 0

  /** Computes the first report and resolves with the rest that follows. */
  const computeFirst = (): Promise<number> =>
    alone(async () => {
      if (due.size === 0 || isStopped) return 0
      const report = Math.min(...due)
      due.delete(report)
      running = 1
      const units = await compute(report)
      running = 0
      return units / UNITS_PER_MS
    })
  const arm = (delayMs: number): void => {
    if (cancel !== undefined || due.size === 0 || isStopped) return
    cancel = clock.setTimer(() => void fire(), delayMs)
  }
  const fire = async (): Promise<void> => {
    const restMs = await computeFirst()
    cancel = undefined
    arm(DELAY_MS + restMs)
  }
  return {
    add(report, delayMs) {
      if (delayMs === undefined) {
        due.add(report)
        arm(DELAY_MS)
        return
      }
      later.get(report)?.()
      const soon = (): void => {
        later.delete(report)
        due.add(report)
        arm(DELAY_MS)
      }
      later.set(report, clock.setTimer(soon, delayMs))
    },
    remove(report) {
      due.delete(report)
      later.get(report)?.()
      later.delete(report)
    },
    async settled() {
      do await computeFirst()
      while (due.size > 0 && !isStopped)
    },
    alone,
    async stop() {
      isStopped = true
      cancel?.()
      for (const stop of later.values()) stop()
      await alone(async () => {})
    },
    get waiting() {
      return due.size + later.size + running
    },
  }
}
