/**
 * The slices of a computation: how it shares the process with syncs. Work is counted in units, about a row each, because
 * a count is the same on every machine. After a slice of units the computation lets other work run. It runs in the
 * thread of the store: LevelDB has one handle for each process, so a worker would get every row as a message.
 */
import { FederationError } from '@geotrace/core-wasm/wire'

/** Some ten milliseconds (2026-11, 2 GHz), which is about what ten syncs take. */
const SLICE_UNITS = 10_000

export interface Slices {
  /** Counts work. Wait for the promise, if there is one. Throws ABORTED when the computation was cancelled. */
  spend(units: number): Promise<void> | undefined
  /** Runs a step that reads or writes the store. Retention may drop days between two steps. Throws ABORTED. */
  step(task: () => Promise<void>): Promise<void>
}

export interface CancellableSlices extends Slices {
  cancel(): void
  readonly isCancelled: boolean
  /** All units so far. */
  readonly units: number
}

interface SlicesInit {
  /** Lets the rest of the process work. */
  pause(): Promise<unknown>
  exclusive(task: () => Promise<void>): Promise<void>
}

export function cancellableSlices({ pause, exclusive }: SlicesInit): CancellableSlices {
  let [units, left, isCancelled] = [0, SLICE_UNITS, false]
  const assertWanted = (): void => {
    if (isCancelled) throw new FederationError('ABORTED', 'the computation was cancelled')
  }
  const rest = async (): Promise<void> => {
    await pause()
    assertWanted()
  }
  return {
    spend(more) {
      units += more
      left -= more
      if (left > 0) return undefined
      left = SLICE_UNITS
      return rest()
    },
    async step(task) {
      assertWanted()
      await exclusive(task)
    },
    cancel() {
      isCancelled = true
    },
    get isCancelled() {
      return isCancelled
    },
    get units() {
      return units
    },
  }
}
