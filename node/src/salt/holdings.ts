/**
 * The shards that a node holds, period by period. PROTOCOL.md §5.1.
 * A period stays while its roster is in force for an open epoch, or while the roster is being agreed on.
 * Seeds that no certificate chose, and seeds of past periods, are erased.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  equalBytes,
  oldestOpenEpoch,
  type PeerAddress,
  type Roster,
  type SignedSheet,
  type Signer,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { SheetSource } from '../membership/agreement/council.ts'
import { isPeriodOpen } from '../membership/agreement/period.ts'
import type { RosterStore } from '../membership/roster-store.ts'
import type { Host } from '../net/protocol.ts'
import type { Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { SeedKeeper } from './secrets/seed-keeper.ts'
import { type SeedRounds, seedRounds } from './seed-rounds.ts'
import { createShards, type Shard, type Shards } from './shards.ts'

export interface HoldingsInit {
  rosters: RosterStore
  signer: Signer
  host: Host
  core: Hashes
  clock: Clock
  random: Random
  log: Log
  records: Records
  keeper: SeedKeeper
}
export interface Holdings extends SheetSource {
  /** The shards of certified rosters and of the due roster, oldest period first. */
  all(): readonly Shards[]
  find(firstEpoch: number, shard: number): { shards: Shards; shard: Shard } | undefined
  /** The newest certified roster that begins with this epoch. */
  certified(firstEpoch: number): CertifiedRoster | undefined
  /** Follows the rosters: opens new periods, keeps certified seeds, erases the others. */
  settle(): Promise<void>
  /** Looks for missing seeds of certified rosters; true if some are still missing. */
  seek(): Promise<boolean>
  /** The other replicas of its shards; the same array while no period opens or closes. */
  otherReplicas(): readonly PeerAddress[]
  /** Erases periods that are over, and those that can get no certificate any more. */
  sweep(nowMs: number): void
}

interface Period {
  shards: Shards
  rounds: SeedRounds
}

export function createHoldings(init: HoldingsInit): Holdings {
  const { rosters, signer, host, core, clock, random, log, records, keeper } = init
  const periods = new Map<number, Period>()
  let otherReplicas: readonly PeerAddress[] | undefined
  const certifiedAt = (firstEpoch: number): CertifiedRoster | undefined =>
    rosters.all.findLast(({ roster }) => roster.firstEpoch === firstEpoch)
  /** The first epoch after those that a certified roster governs. */
  const endOf = ({ roster }: CertifiedRoster): number =>
    rosters.at(roster.height + 1)?.roster.firstEpoch ?? roster.firstEpoch + sheetEpochs(roster)

  const open = (roster: Roster): Period => {
    const known = periods.get(roster.firstEpoch)
    if (known !== undefined && equalBytes(known.shards.roster.previous, roster.previous)) return known
    if (known !== undefined) close(known)
    const certified = (): CertifiedRoster | undefined => certifiedAt(roster.firstEpoch)
    const shards = createShards({ roster, signer, core, random, records, keeper, certified })
    const period = { shards, rounds: seedRounds({ shards, keeper, host, core, clock, log, certified }) }
    periods.set(roster.firstEpoch, period)
    otherReplicas = undefined
    return period
  }
  const close = ({ shards }: Period): void => {
    for (const shard of shards.all) shards.drop(shard)
    periods.delete(shards.firstEpoch)
    otherReplicas = undefined
  }
  const certifiedPeriods = (): Period[] =>
    [...periods.values()].filter(({ shards }) => certifiedAt(shards.firstEpoch) !== undefined)

  return {
    all: () => [...periods.values()].map(({ shards }) => shards).sort((a, b) => a.firstEpoch - b.firstEpoch),
    find(firstEpoch, shard) {
      const shards = periods.get(firstEpoch)?.shards
      const found = shards?.find(shard)
      return shards === undefined || found === undefined ? undefined : { shards, shard: found }
    },
    certified: certifiedAt,
    async settle() {
      const oldest = oldestOpenEpoch(clock.now())
      for (const certified of rosters.all) if (endOf(certified) > oldest) open(certified.roster)
      for (const { shards } of certifiedPeriods()) {
        await shards.settle()
        keeper.cut(shards.firstEpoch, endOf(certifiedAt(shards.firstEpoch)!))
      }
      // A period before the newest roster without a certificate will get none: its seeds were not chosen.
      const newest = rosters.newest?.roster.firstEpoch ?? Number.NEGATIVE_INFINITY
      for (const period of [...periods.values()]) {
        if (period.shards.firstEpoch < newest && certifiedAt(period.shards.firstEpoch) === undefined) close(period)
      }
    },
    async acquire(roster, forMs, signedRoot) {
      await open(roster).rounds.acquire(forMs, signedRoot)
    },
    signed(firstEpoch): SignedSheet[] {
      const shards = periods.get(firstEpoch)?.shards.all ?? []
      return shards.flatMap(({ signed }) => (signed === undefined ? [] : [signed]))
    },
    async seek() {
      const lacking = certifiedPeriods().filter(({ rounds }) => rounds.missing().length > 0)
      for (const { rounds } of lacking) await rounds.acquire(0, () => undefined)
      return lacking.some(({ rounds }) => rounds.missing().length > 0)
    },
    otherReplicas() {
      otherReplicas ??= [...periods.values()].flatMap(({ shards }) =>
        shards.all.flatMap((shard) => shard.otherReplicas),
      )
      return otherReplicas
    },
    sweep(nowMs) {
      const oldest = oldestOpenEpoch(nowMs)
      const newest = rosters.newest?.roster
      for (const period of [...periods.values()]) {
        const { firstEpoch } = period.shards
        const certified = certifiedAt(firstEpoch)
        const isOver =
          certified === undefined
            ? newest !== undefined && !isPeriodOpen(newest, firstEpoch, nowMs)
            : endOf(certified) <= oldest
        if (isOver) close(period)
      }
    },
  }
}
