/**
 * Reads the whole store once a day, so that damage shows while a backup without it exists. node/CENTRAL.md "The store, and
 * backups". The condition of the store names the damaged parts.
 */
import type { Clock } from '@geotrace/core-wasm'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { toCode } from '../platform/disk-error.ts'
import type { Log } from '../platform/log.ts'
import type { CentralStore } from './store/central-store.ts'

export interface Scrubbing {
  /** Reads the store now and then daily. */
  start(): void
  /** Resolves when it reads nothing any more. */
  stop(): Promise<void>
}

export function scrubbing(store: Pick<CentralStore, 'verify'>, clock: Clock, log: Log): Scrubbing {
  let cancel = (): void => {}
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    await store.verify().catch((error: unknown) => log.error('store.not-verified', { code: toCode(error) }))
    if (!isStopped) cancel = clock.setTimer(start, DAY_MS)
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
