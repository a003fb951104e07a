/**
 * The rounds by which the processes of a central peer follow each other through the store. The leader reads reports and
 * rows that others took, publishes their pins, and notes its standing. A follower reads rosters, seal keys, reports and that
 * standing. PROTOCOL.md §8.
 */
import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS, type Pin } from '@geotrace/core-wasm/wire'
import type { Standing } from '../../membership/agreement/standing.ts'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { Records } from '../../platform/file-records.ts'
import type { Log } from '../../platform/log.ts'
import type { RiskEngine } from '../risk/risk-engine.ts'
import { type Rounds, rounds } from '../rounds.ts'
import type { SealKeyStore } from '../sealed/seal-keys.ts'
import type { CentralStore } from '../store/central-store.ts'

const ROUND_MS = 5_000
/** A row that another process took has the reports of its day computed anew, so this does not come more often. */
const ROWS_MS = 10 * MINUTE_MS
/** A leader that is gone says nothing about the rosters. */
const STANDING_MS = 30_000
const STANDING_RECORD = 'standing'
const STANDINGS: readonly string[] = ['catching-up', 'checking', 'current', 'apart'] satisfies Standing[]

interface SharingInit {
  store: CentralStore
  records: Records
  rosters: RosterStore
  risk: Pick<RiskEngine, 'refresh' | 'rowsChanged'>
  clock: Clock
  log: Log
}

export interface LeaderRounds extends Rounds {
  /** Looks at once at the reports and the rows that other processes took. */
  look(): Promise<void>
}

export function leaderRounds(init: SharingInit & { standing(): Standing; publish(pin: Pin): void }): LeaderRounds {
  const { store, records, risk, clock, log, standing, publish } = init
  let published: ReadonlySet<number> = new Set()
  let rowsOf = new Map<number, number>()
  let lookedMs = clock.now()

  const lookAtRows = async (): Promise<void> => {
    lookedMs = clock.now()
    const { days } = await store.statistics()
    const changed = days.filter(({ day, rows }) => rowsOf.get(day) !== rows)
    rowsOf = new Map(days.map(({ day, rows }) => [day, rows]))
    if (changed.length > 0) risk.rowsChanged(changed.map(({ day }) => day))
  }
  const look = async (): Promise<void> => {
    await risk.refresh()
    const pins = await store.pins()
    for (const pin of pins) if (!published.has(pin.epoch)) publish(pin)
    published = new Set(pins.map(({ epoch }) => epoch))
  }
  const task = async (): Promise<void> => {
    await records.put(STANDING_RECORD, new TextEncoder().encode(`${clock.now()} ${standing()}`))
    await look()
    // The start computes all reports, so the first look comes later.
    if (clock.now() - lookedMs >= ROWS_MS) await lookAtRows()
  }
  return {
    ...rounds({ task, everyMs: ROUND_MS, clock, log, failure: 'lease.round-failed' }),
    async look() {
      await look()
      await lookAtRows()
    },
  }
}

export interface FollowerRounds extends Rounds {
  /** The standing of the leader; `apart` when it is gone. */
  standing(): Standing
}

export function followerRounds(init: SharingInit & { seals: Pick<SealKeyStore, 'refresh'> }): FollowerRounds {
  const { records, rosters, risk, seals, clock, log } = init
  let heard: { atMs: number; standing: Standing } = { atMs: Number.NEGATIVE_INFINITY, standing: 'apart' }
  const task = async (): Promise<void> => {
    heard = toHeard(await records.get(STANDING_RECORD)) ?? heard
    await rosters.follow((height) => records.get(`roster-${height}`))
    await seals.refresh()
    await risk.refresh()
  }
  return {
    ...rounds({ task, everyMs: ROUND_MS, clock, log, failure: 'lease.round-failed' }),
    standing: () => (clock.now() - heard.atMs < STANDING_MS ? heard.standing : 'apart'),
  }
}

function toHeard(bytes: Uint8Array | undefined): { atMs: number; standing: Standing } | undefined {
  const [at, standing = ''] = new TextDecoder().decode(bytes).split(' ')
  return STANDINGS.includes(standing) ? { atMs: Number(at), standing: standing as Standing } : undefined
}
