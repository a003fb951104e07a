/** Runs a task now and then again after a time, one round after the other. A round that fails is logged, and the next comes. */
import type { Clock } from '@geotrace/core-wasm'
import { toCode } from '../platform/disk-error.ts'
import type { Log } from '../platform/log.ts'

export interface Rounds {
  start(): void
  /** Resolves when no round runs any more. */
  stop(): Promise<void>
}
interface RoundsInit {
  /** `isStopped` tells a long round to end. */
  task(isStopped: () => boolean): Promise<void>
  everyMs: number
  clock: Clock
  log: Log
  /** The event of a round that failed. */
  failure: string
}

export function rounds({ task, everyMs, clock, log, failure }: RoundsInit): Rounds {
  let cancel = (): void => {}
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    await task(() => isStopped).catch((error: unknown) => log.error(failure, { code: toCode(error) }))
    if (!isStopped) cancel = clock.setTimer(start, everyMs)
  }
  const start = (): void => {
    running = run()
  }
  return {
    start,
    async stop() {
      isStopped = true
      cancel()
      await running
    },
  }
}
