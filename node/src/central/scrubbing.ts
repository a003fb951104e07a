/**
 * Reads the whole store once a day, so that damage shows while a backup without it exists. node/CENTRAL.md "The store, and
 * backups". The condition of the store names the damaged parts.
 */
import type { Clock } from '@geotrace/core-wasm'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import type { Log } from '../platform/log.ts'
import { type Rounds, rounds } from './rounds.ts'
import type { CentralStore } from './store/central-store.ts'

export function scrubbing(store: Pick<CentralStore, 'verify'>, clock: Clock, log: Log): Rounds {
  return rounds({ task: () => store.verify(), everyMs: DAY_MS, clock, log, failure: 'store.not-verified' })
}
