/**
 * The shards that a node replicates in one period: from no seed, to the seeds of its parts with the sheet, to the node's
 * signature. PROTOCOL.md §4.7, §5.1, §5.2. A node never makes a second seed of a part, and never signs a second sheet of a
 * period after the same roster. After the certificate it keeps only seeds that lead to the certified sheet.
 */

import { type Clock, type Random, turns } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  type Evidence,
  equalBytes,
  HASH_BYTES,
  isVacant,
  keyToShards,
  type PartSeed,
  partLinesToHash,
  type Roster,
  type Seed,
  type Signer,
  sheetContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'
import type { Hashes } from '../secrets/ratchet.ts'
import type { SeedKeeper, SeedPlace } from '../secrets/seed-keeper.ts'
import type { SheetRule } from '../sheets/line-rules.ts'
import { seedToLines } from '../sheets/sheet-maker.ts'
import { readBond, recordMade, recordRoot } from '../sheets/sheet-record.ts'
import { linesToSheetTree, type SheetTree } from '../sheets/sheet-tree.ts'
import { isPreferred, mayBePreferred, mostHeld, type Preference } from './seed-rule.ts'
import { ownParts, type Shard, type ShardPart, type SignedLines, type Target, toShard } from './shard.ts'
import { type Statements, statements } from './statements.ts'

/** A replica that gave a seed without a valid signature is not believed for this time, because each check costs a sheet. */
const DOUBT_MS = 30_000
/** Seeds of a part that are kept when others replace them, because a sheet that others signed may name them. */
const SPARES_MAX = 3

interface ShardsInit {
  /** The roster of the period, certified or due. */
  roster: Roster
  signer: Signer
  core: Hashes
  /** How the federation's salting makes lines. */
  rule: SheetRule
  clock: Pick<Clock, 'now'>
  random: Random
  records: Records
  keeper: SeedKeeper
  /** The certified roster of the period; undefined before its certificate. */
  certified(): CertifiedRoster | undefined
  isConvicted(key: Uint8Array): boolean
  /** Publishes evidence against a maker of two seeds. */
  accuse(evidence: Evidence): void
}
/** A seed, and the rank of the replica that gave it. */
export interface GivenSeed {
  readonly giver: number
  readonly seed: PartSeed
}

export interface Shards {
  /** The certified or the due roster. */
  readonly roster: Roster
  readonly all: readonly Shard[]
  readonly firstEpoch: number
  readonly epochs: number
  find(shard: number): Shard | undefined
  /** Whether the node holds the seeds of all its parts, and the sheet. */
  isWhole(shard: Shard): boolean
  holds(shard: Shard, part: ShardPart): boolean
  isConvicted(shard: Shard, rank: number): boolean
  /** Makes the seeds of these parts, without those that this node made before. None after it signed a sheet. */
  make(shard: Shard, parts: readonly ShardPart[]): Promise<void>
  /** Takes seeds of its own parts, as the rule says; true if the node goes by one of them now. */
  take(shard: Shard, given: readonly GivenSeed[]): Promise<boolean>
  /** Notes the lines by which a member of a part of others goes, if their maker signed them. */
  note(shard: Shard, part: ShardPart, member: number, lines: SignedLines): Promise<void>
  /** Compares the lines of another replica with those known before, for evidence only. */
  judge(shard: Shard, part: ShardPart, lines: SignedLines): void
  /** The root that a certificate names, or that this node signed before a restart. */
  fixedRoot(shard: Shard): Promise<Uint8Array | undefined>
  /**
   * From now on the node prefers the seeds of this sheet, or takes no others when its choice is over. False unless the lines
   * of all parts lead to the root. Without a target it prefers no sheet any more.
   */
  aim(shard: Shard, target: Target | undefined): Promise<boolean>
  sign(shard: Shard): Promise<void>
  /** Copies of the seeds held of these parts, for a member of each. The caller wipes them. */
  give(shard: Shard, parts: readonly number[], taker: number): PartSeed[]
  /** Drops every seed that no certified sheet names, and lets the keeper wind the others. */
  settle(): Promise<void>
  /** Erases all seeds, and takes none any more. */
  close(): void
}

export function createShards(init: ShardsInit): Shards {
  return new PeriodShards(init)
}

class PeriodShards implements Shards {
  readonly roster: Roster
  readonly all: readonly Shard[]
  readonly firstEpoch: number
  readonly epochs: number
  readonly #init: ShardsInit
  readonly #statements: Statements
  /** One task of a shard at a time, because computing lines takes time and another seed may come meanwhile. */
  readonly #turns = turns<number>(1)
  /** When a replica gave a bad seed, Unix ms, by shard and rank. */
  readonly #doubted = new Map<string, number>()
  /** The roots on disk by shard, once they are read. */
  readonly #recorded = new Map<number, Uint8Array | undefined>()
  #isClosed = false

  constructor(init: ShardsInit) {
    const { roster, signer } = init
    this.#init = init
    this.roster = roster
    this.firstEpoch = roster.firstEpoch
    this.epochs = sheetEpochs(roster)
    this.all = keyToShards(roster, signer.key).map((shard) => toShard(roster, shard, signer.key))
    this.#statements = statements(init)
  }

  find(shard: number): Shard | undefined {
    return this.all.find((item) => item.shard === shard)
  }

  isWhole(shard: Shard): boolean {
    return shard.tree !== undefined && ownParts(shard).every((part) => this.holds(shard, part))
  }

  holds(shard: Shard, part: ShardPart): boolean {
    return this.#init.keeper.has(this.#place(shard, part))
  }

  isConvicted(shard: Shard, rank: number): boolean {
    return rank !== shard.rank && this.#init.isConvicted(this.#statements.keyOf(shard, rank))
  }

  make(shard: Shard, parts: readonly ShardPart[]): Promise<void> {
    return this.#run(shard, async () => {
      if (this.#isFixed(shard)) return
      const { records, random } = this.#init
      const { made } = await readBond(records, shard.shard, this.roster)
      const wanted = parts.filter(({ part }) => !made.includes(part)).map(({ part }) => part)
      if (wanted.length === 0) return
      // The record comes first: a crash after the signature must not lead to a second seed.
      for (const number of await recordMade(records, shard.shard, this.roster, wanted)) {
        const part = shard.parts[number]!
        const seed = { epoch: this.firstEpoch, state: random(32), quotaKey: random(32) }
        const lines = this.#statements.sign(shard, part, await this.#linesFrom(seed, this.firstEpoch))
        this.#choose(shard, part, lines, seed)
        wipe(seed)
      }
    })
  }

  take(shard: Shard, given: readonly GivenSeed[]): Promise<boolean> {
    return this.#run(shard, async () => {
      let isTaken = false
      for (const item of given) if (await this.#takeOne(shard, item)) isTaken = true
      return isTaken
    })
  }

  note(shard: Shard, part: ShardPart, member: number, lines: SignedLines): Promise<void> {
    return this.#run(shard, async () => {
      if (part.isOwn || this.#isFixed(shard) || !part.members.includes(member)) return
      if (!this.#statements.check(shard, part, lines)) return
      part.said.set(member, lines)
      this.#reconsider(shard)
    })
  }

  judge(shard: Shard, part: ShardPart, lines: SignedLines): void {
    for (const item of [part.lines ?? lines, lines]) this.#statements.check(shard, part, item)
  }

  async fixedRoot(shard: Shard): Promise<Uint8Array | undefined> {
    const certified = this.#certifiedRoot(shard)
    return certified ?? (await this.#run(shard, async () => shard.bound))
  }

  aim(shard: Shard, target: Target | undefined): Promise<boolean> {
    return this.#run(shard, async () => {
      if (target !== undefined && !equalBytes(this.#toTree(target.lines).root, target.root)) return false
      shard.target = target
      if (target !== undefined && this.#isFixed(shard)) await this.#settleOn(shard, target)
      else this.#reconsider(shard)
      return true
    })
  }

  sign(shard: Shard): Promise<void> {
    return this.#run(shard, async () => {
      const { signer } = this.#init
      const { tree } = shard
      if (tree === undefined || shard.signed !== undefined || !this.isWhole(shard)) return
      if (this.#init.certified() !== undefined) return
      const { root } = tree
      if (shard.bound !== undefined && !equalBytes(shard.bound, root)) return
      shard.bound = root
      await this.#record(shard, root)
      const content = sheetContent({ ...this.roster, shard: shard.shard, epochs: this.epochs, root })
      shard.signed = { shard: shard.shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
    })
  }

  give(shard: Shard, parts: readonly number[], taker: number): PartSeed[] {
    return ownParts(shard).flatMap((item) => {
      const { part, members, lines } = item
      if (!parts.includes(part) || !members.includes(taker) || lines === undefined) return []
      const seed = this.#init.keeper.seed(this.#place(shard, item))
      return seed === undefined ? [] : [{ part, ...seed, maker: lines.maker, signature: lines.signature }]
    })
  }

  async settle(): Promise<void> {
    const roster = this.#init.certified()?.roster
    if (roster === undefined) return
    for (const shard of this.all) await this.#run(shard, async () => this.#settleShard(shard, roster))
  }

  close(): void {
    for (const shard of this.all) this.#drop(shard)
    // A task under way must not touch the seeds of another roster with the same first epoch.
    this.#isClosed = true
  }

  /** Runs a task of the shard after those before it. */
  async #run<T>(shard: Shard, task: () => Promise<T>): Promise<T> {
    return await this.#turns.run(shard.shard, async () => {
      if (!this.#recorded.has(shard.shard)) {
        const { root } = await readBond(this.#init.records, shard.shard, this.roster)
        this.#recorded.set(shard.shard, root)
        shard.bound ??= root
      }
      return await task()
    })
  }

  async #takeOne(shard: Shard, { giver, seed }: GivenSeed): Promise<boolean> {
    const part = shard.parts[seed.part]
    if (part === undefined || !part.isOwn || !part.members.includes(giver)) return false
    if (this.holds(shard, part) && part.lines !== undefined && equalBytes(part.lines.signature, seed.signature)) {
      return true
    }
    if (this.#isDoubted(shard, giver)) return false
    return await (this.#isFixed(shard)
      ? this.#takeFixed(shard, part, giver, seed)
      : this.#takeFreely(shard, part, giver, seed))
  }

  /** Takes a missing seed of the sheet that the node has to reach, whole or wound on. */
  async #takeFixed(shard: Shard, part: ShardPart, giver: number, seed: Seed): Promise<boolean> {
    const want = shard.target?.lines[part.part]
    if (want === undefined || this.holds(shard, part)) return false
    const isRight = await this.#leadsTo(seed, want)
    if (isRight) this.#hold(shard, part, seed)
    else this.#doubt(shard, giver)
    return isRight
  }

  /** Takes a whole seed that its maker signed, when the node prefers it to the seed that it holds. */
  async #takeFreely(shard: Shard, part: ShardPart, giver: number, seed: PartSeed): Promise<boolean> {
    if (seed.epoch !== this.firstEpoch) return false
    if (part.lines !== undefined && !mayBePreferred(seed.maker, part.lines, this.#preference(shard, part))) return false
    const lines = await this.#linesFrom(seed, this.firstEpoch)
    const signed = { maker: seed.maker, hash: partLinesToHash(lines), signature: seed.signature, lines }
    if (this.#statements.check(shard, part, signed)) return this.#choose(shard, part, signed, seed)
    this.#doubt(shard, giver)
    return false
  }

  /** Holds a seed unless the node prefers the one that it has. That one becomes a spare. */
  #choose(shard: Shard, part: ShardPart, lines: SignedLines, seed: Seed): boolean {
    const before = part.lines
    if (before !== undefined && !isPreferred(lines, before, this.#preference(shard, part))) return false
    const given = before && this.#init.keeper.seed(this.#place(shard, part))
    if (before !== undefined && given !== undefined) {
      this.#keepSpare(shard, part, before, given)
      wipe(given)
    }
    this.#hold(shard, part, seed)
    part.lines = lines
    this.#rebuild(shard)
    return true
  }

  #keepSpare(shard: Shard, part: ShardPart, lines: SignedLines, seed: Seed): void {
    if (this.#isClosed) return
    part.spares = [...part.spares, lines]
    this.#init.keeper.hold(this.#place(shard, part, lines), this.epochs, seed)
    if (part.spares.length > SPARES_MAX) this.#dropSpare(shard, part, part.spares[0]!)
  }

  #dropSpare(shard: Shard, part: ShardPart, lines: SignedLines): void {
    part.spares = part.spares.filter((item) => item !== lines)
    if (!this.#isClosed) this.#init.keeper.drop(this.#place(shard, part, lines))
  }

  /** Another seed may be preferred now, because others signed a sheet or stated other lines. */
  #reconsider(shard: Shard): void {
    const { target } = shard
    for (const part of shard.parts) {
      if (part.isOwn) for (const lines of part.spares) this.#swap(shard, part, lines)
      else if (target?.isProven === true) part.lines = target.lines[part.part]
      else part.lines = this.#mostHeld(shard, part) ?? part.lines
    }
    this.#rebuild(shard)
  }

  #mostHeld(shard: Shard, { said }: ShardPart): SignedLines | undefined {
    const honest = [...said].filter(([member]) => !this.isConvicted(shard, member)).map(([, lines]) => lines)
    return mostHeld(honest, (rank) => this.isConvicted(shard, rank))
  }

  #swap(shard: Shard, part: ShardPart, lines: SignedLines): void {
    const seed = this.#init.keeper.seed(this.#place(shard, part, lines))
    if (seed === undefined) return
    // The spare goes first, because the seed that it replaces becomes one.
    if (part.lines === undefined || isPreferred(lines, part.lines, this.#preference(shard, part))) {
      this.#dropSpare(shard, part, lines)
      this.#choose(shard, part, lines, seed)
    }
    wipe(seed)
  }

  #hold(shard: Shard, part: ShardPart, seed: Seed): void {
    if (this.#isClosed) return
    const { keeper, certified } = this.#init
    const place = this.#place(shard, part)
    keeper.drop(place)
    keeper.hold(place, this.epochs, seed)
    if (certified() !== undefined) keeper.settle(place)
    shard.isLost = false
  }

  /** Goes by the lines of this sheet, and drops the seeds that do not lead to them. */
  async #settleOn(shard: Shard, { lines, root }: Target): Promise<void> {
    for (const part of shard.parts) {
      const want = lines[part.part]!
      for (const spare of part.spares) if (equalBytes(spare.hash, want.hash)) this.#swap(shard, part, spare)
      if (part.lines !== undefined && !equalBytes(part.lines.hash, want.hash)) this.#erase(shard, part)
      for (const spare of part.spares) this.#dropSpare(shard, part, spare)
      part.lines = want
    }
    this.#rebuild(shard)
    if (this.#init.certified() !== undefined) await this.#record(shard, root)
  }

  async #settleShard(shard: Shard, roster: Roster): Promise<void> {
    if (isVacant(roster, shard.shard)) return this.#drop(shard)
    // The seeds may be those of the certified sheet, also when this node lacks a part of it. So all of them are wound on.
    for (const part of ownParts(shard)) {
      for (const spare of [undefined, ...part.spares]) this.#init.keeper.settle(this.#place(shard, part, spare))
    }
    const root = roster.sheets[shard.shard]!
    if (shard.tree === undefined) return
    if (!equalBytes(shard.tree.root, root)) {
      shard.tree = undefined
      return
    }
    for (const part of shard.parts) for (const spare of part.spares) this.#dropSpare(shard, part, spare)
    await this.#record(shard, root)
  }

  #drop(shard: Shard): void {
    for (const part of shard.parts) {
      this.#erase(shard, part)
      for (const spare of part.spares) this.#dropSpare(shard, part, spare)
      part.lines = undefined
      part.said.clear()
    }
    shard.tree = undefined
    shard.target = undefined
  }

  #erase(shard: Shard, part: ShardPart): void {
    if (!this.#isClosed) this.#init.keeper.drop(this.#place(shard, part))
  }

  async #record(shard: Shard, root: Uint8Array): Promise<void> {
    shard.bound = root
    // After a restart the root is on disk already, and a synced write is slow.
    const recorded = this.#recorded.get(shard.shard)
    if (recorded !== undefined && equalBytes(recorded, root)) return
    await recordRoot(this.#init.records, shard.shard, this.roster, root)
    this.#recorded.set(shard.shard, root)
  }

  #rebuild(shard: Shard): void {
    const lines = shard.parts.flatMap((part) => part.lines ?? [])
    shard.tree = lines.length === shard.parts.length ? this.#toTree(lines) : undefined
  }

  #toTree(lines: readonly SignedLines[]): SheetTree {
    const { core, rule } = this.#init
    return linesToSheetTree(core, rule.toSheet(lines.map((item) => item.lines)))
  }

  /** Whether a seed has these lines from its epoch on. All of them are checked, because each answer must fit its line. */
  async #leadsTo(seed: Seed, { lines }: SignedLines): Promise<boolean> {
    const from = seed.epoch - this.firstEpoch
    if (from < 0 || from >= this.epochs) return false
    return equalBytes(await this.#linesFrom(seed, seed.epoch), lines.subarray(from * HASH_BYTES))
  }

  /** The lines of a seed from `epoch` to the end of the sheet. */
  #linesFrom({ state }: Seed, epoch: number): Promise<Uint8Array> {
    const { core, rule } = this.#init
    return seedToLines(core, rule, state, epoch, this.firstEpoch + this.epochs - epoch)
  }

  #certifiedRoot({ shard }: Shard): Uint8Array | undefined {
    return this.#init.certified()?.roster.sheets[shard]
  }

  /** Whether the node has no choice between seeds any more. */
  #isFixed({ bound }: Shard): boolean {
    return bound !== undefined || this.#init.certified() !== undefined
  }

  #isDoubted({ shard }: Shard, rank: number): boolean {
    const sinceMs = this.#doubted.get(`${shard} ${rank}`)
    return sinceMs !== undefined && this.#init.clock.now() - sinceMs < DOUBT_MS
  }

  #doubt({ shard }: Shard, rank: number): void {
    this.#doubted.set(`${shard} ${rank}`, this.#init.clock.now())
  }

  #preference(shard: Shard, { part }: ShardPart): Preference {
    return { signed: shard.target?.lines[part], isConvicted: (rank) => this.isConvicted(shard, rank) }
  }

  /** Where the keeper has the seed of a part, or the spare with these lines. */
  #place({ shard }: Shard, { part }: ShardPart, spare?: SignedLines): SeedPlace {
    const place = { shard, part, firstEpoch: this.firstEpoch }
    return spare === undefined ? place : { ...place, spare: bytesToHex(spare.hash) }
  }
}

export function wipe({ state, quotaKey }: Seed): void {
  state.fill(0)
  quotaKey.fill(0)
}
