/**
 * The shards that a node holds, period by period. PROTOCOL.md §4.11, §5.1.
 * A period stays while the central peer may pin its roster for an open epoch, or while the roster is being agreed on.
 * Seeds that no certificate chose, and seeds of past periods, are erased.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  type Evidence,
  epochToSecretSpan,
  equalBytes,
  oldestOpenEpoch,
  type PeerAddress,
  type Roster,
  type SignedSheet,
  type Signer,
} from '@geotrace/core-wasm/wire'
import { mayBeCertified } from '../membership/agreement/period.ts'
import type { SheetSource } from '../membership/agreement/steps.ts'
import type { RosterStore } from '../membership/roster-store.ts'
import type { Host } from '../net/protocol.ts'
import type { Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { SeedKeeper } from './secrets/seed-keeper.ts'
import type { WrapGroup } from './secrets/seed-wrap.ts'
import { type SeedRounds, type SignedRoot, seedRounds } from './seeds/seed-rounds.ts'
import type { Shard } from './seeds/shard.ts'
import { createShards, type Shards } from './seeds/shards.ts'
import type { SheetRule } from './sheets/line-rules.ts'

interface HoldingsInit {
  rosters: RosterStore
  signer: Signer
  host: Host
  core: Hashes
  clock: Clock
  /** Draws seeds, and the one-time keys of their exchange. */
  random: Random
  group: WrapGroup
  log: Log
  records: Records
  keeper: SeedKeeper
  rule: SheetRule
  isConvicted(key: Uint8Array): boolean
  accuse(evidence: Evidence): void
}
export interface Holdings extends SheetSource {
  /** The shards of the certified rosters that are in force for an open or a later epoch, oldest period first. */
  inForce(nowMs: number): readonly Shards[]
  /** The shards of the next period whose secrets are not open yet, certified or not; undefined before its effort. */
  coming(nowMs: number): Shards | undefined
  find(firstEpoch: number, shard: number): (Period & { shard: Shard }) | undefined
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
  return new PeriodHoldings(init)
}

class PeriodHoldings implements Holdings {
  readonly #init: HoldingsInit
  readonly #rosters: RosterStore
  /** By first epoch. */
  readonly #periods = new Map<number, Period>()
  #otherReplicas: readonly PeerAddress[] | undefined

  constructor(init: HoldingsInit) {
    this.#init = init
    this.#rosters = init.rosters
  }

  inForce(nowMs: number): readonly Shards[] {
    const { recent } = this.#rosters
    const oldest = this.#rosters.inForce(oldestOpenEpoch(nowMs))?.roster.height ?? 0
    return recent
      .filter(({ roster }) => roster.height >= oldest)
      .flatMap(({ roster }) => this.#periods.get(roster.firstEpoch)?.shards ?? [])
  }

  coming(nowMs: number): Shards | undefined {
    const later = [...this.#periods.values()].filter(({ shards }) => epochToSecretSpan(shards.firstEpoch).from > nowMs)
    return later.map(({ shards }) => shards).sort((a, b) => a.firstEpoch - b.firstEpoch)[0]
  }

  find(firstEpoch: number, shard: number): (Period & { shard: Shard }) | undefined {
    const period = this.#periods.get(firstEpoch)
    const found = period?.shards.find(shard)
    return period === undefined || found === undefined ? undefined : { ...period, shard: found }
  }

  certified(firstEpoch: number): CertifiedRoster | undefined {
    return this.#rosters.startingAt(firstEpoch)
  }

  async settle(): Promise<void> {
    const { clock, keeper } = this.#init
    const oldest = oldestOpenEpoch(clock.now())
    const { recent, overtaken } = this.#rosters
    for (const certified of [...recent, ...overtaken]) {
      if (this.#rosters.pinnableUntil(certified) > oldest) this.#open(certified.roster)
    }
    for (const { shards } of this.#certifiedPeriods()) {
      await shards.settle()
      keeper.cut(shards.firstEpoch, this.#rosters.pinnableUntil(this.certified(shards.firstEpoch)!))
    }
    this.sweep(clock.now())
  }

  async acquire(roster: Roster, forMs: number | undefined, signedRoot: SignedRoot): Promise<void> {
    await this.#open(roster).rounds.acquire(forMs, signedRoot)
  }

  signed(firstEpoch: number): SignedSheet[] {
    const shards = this.#periods.get(firstEpoch)?.shards.all ?? []
    return shards.flatMap(({ signed }) => (signed === undefined ? [] : [signed]))
  }

  async seek(): Promise<boolean> {
    const lacking = this.#certifiedPeriods().filter(({ rounds }) => rounds.missing().length > 0)
    for (const { rounds } of lacking) await rounds.acquire(0, () => undefined)
    return lacking.some(({ rounds }) => rounds.missing().length > 0)
  }

  otherReplicas(): readonly PeerAddress[] {
    this.#otherReplicas ??= [...this.#periods.values()].flatMap(({ shards }) =>
      shards.all.flatMap((shard) => shard.otherReplicas),
    )
    return this.#otherReplicas
  }

  sweep(nowMs: number): void {
    const oldest = oldestOpenEpoch(nowMs)
    const newest = this.#rosters.newest?.roster
    for (const period of [...this.#periods.values()]) {
      const { firstEpoch } = period.shards
      const certified = this.certified(firstEpoch)
      const isOver =
        certified === undefined
          ? newest !== undefined && !mayBeCertified(newest, firstEpoch, nowMs)
          : this.#rosters.pinnableUntil(certified) <= oldest
      if (isOver) this.#close(period)
    }
  }

  #open(roster: Roster): Period {
    const { host, clock, log, group, random } = this.#init
    const { firstEpoch } = roster
    const known = this.#periods.get(firstEpoch)
    if (known !== undefined && equalBytes(known.shards.roster.previous, roster.previous)) return known
    if (known !== undefined) this.#close(known)
    const certified = (): CertifiedRoster | undefined => this.certified(firstEpoch)
    const shards = createShards({ ...this.#init, roster, certified })
    const period = { shards, rounds: seedRounds({ shards, host, group, random, clock, log, certified }) }
    this.#periods.set(firstEpoch, period)
    this.#otherReplicas = undefined
    return period
  }

  #close({ shards }: Period): void {
    shards.close()
    this.#periods.delete(shards.firstEpoch)
    this.#otherReplicas = undefined
  }

  #certifiedPeriods(): Period[] {
    return [...this.#periods.values()].filter(({ shards }) => this.certified(shards.firstEpoch) !== undefined)
  }
}
