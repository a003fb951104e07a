/** The syncs that are being answered: their number is bounded, and a stop waits for them. Throws BUSY. */
import { FederationError } from '@geotrace/core-wasm/wire'

interface UnderWay {
  readonly count: number
  /** Runs a task. Throws BUSY at once when too many run. */
  run<T>(task: () => Promise<T>): Promise<T>
  /** Resolves when none runs. */
  idle(): Promise<void>
}

export function underWay(max: number, retryAfterMs: number): UnderWay {
  let count = 0
  const whenIdle: (() => void)[] = []
  return {
    get count() {
      return count
    },
    async run(task) {
      if (count >= max) throw new FederationError('BUSY', 'too many syncs at once: sync again later', { retryAfterMs })
      count++
      try {
        return await task()
      } finally {
        count--
        if (count === 0) for (const resolve of whenIdle.splice(0)) resolve()
      }
    },
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => void whenIdle.push(resolve))),
  }
}
