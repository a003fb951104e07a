/**
 * The tasks that a leading process does by itself: retention, closing of epochs, scrubbing, the spread, and the look at the
 * health of the store. PROTOCOL.md §8.
 */
import type { Clock } from '@geotrace/core-wasm'
import { EPOCH_MS, manifestToId } from '@geotrace/core-wasm/wire'
import type { ClockWatch } from '../membership/clock-watch.ts'
import type { Membership } from '../membership/membership.ts'
import type { Host } from '../net/protocol.ts'
import { closing } from './closing.ts'
import { type CentralHealth, centralHealth } from './health.ts'
import type { CentralPeerInit } from './opening.ts'
import { type Retention, retention } from './retention.ts'
import type { RiskEngine } from './risk/risk-engine.ts'
import type { Rounds } from './rounds.ts'
import { scrubbing } from './scrubbing.ts'
import { spreadRun } from './spread/spread-run.ts'
import type { CentralStore } from './store/central-store.ts'
import type { StoreRoom } from './store-room.ts'

export interface Upkeep {
  readonly sweeping: Retention
  readonly closing: Rounds
  readonly scrubbing: Rounds
  readonly counting: Rounds
  readonly health: CentralHealth
}
interface UpkeepParts {
  readonly host: Host
  readonly store: CentralStore
  readonly room: StoreRoom
  readonly membership: Membership
  readonly watch: ClockWatch
  readonly risk: RiskEngine
}

export function toUpkeep(
  { manifest, clock, random, log }: CentralPeerInit,
  { host, store, room, membership, watch, risk }: UpkeepParts,
): Upkeep {
  const { peers, pool, say } = membership
  const peersMs = (): Promise<number | undefined> => peersTime(watch, clock)
  const { exclusive } = risk
  return {
    sweeping: retention({
      store,
      clock,
      retentionDays: manifest.parameters.retentionDays,
      peersMs,
      rosterMs: () => membership.rosters.newest && membership.rosters.newest.roster.firstEpoch * EPOCH_MS,
      exclusive,
      log,
    }),
    closing: closing({ store, clock, exclusive, closed: risk.closed, log }),
    scrubbing: scrubbing(store, clock, log),
    counting: spreadRun({
      ...{ federation: manifestToId(manifest), store, host, peers, table: pool.spreads },
      ...{ clock, random, log, peersMs, say },
    }),
    health: centralHealth({ store, room, log }),
  }
}

/** The median of the peers' clocks in Unix ms; undefined when no peer answers. */
async function peersTime(watch: ClockWatch, clock: Clock): Promise<number | undefined> {
  await watch.check()
  return watch.peersOffsetMs === undefined ? undefined : clock.now() - watch.peersOffsetMs
}
