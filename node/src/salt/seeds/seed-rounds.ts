/**
 * How a node obtains the seeds and lines of its shards in one period. PROTOCOL.md §4.7, §5.1. seed-rule.ts has the rules.
 * In each round it asks the other replicas for their seeds and roots, and makes and offers seeds when it is its turn. It
 * fetches the lines of the other parts, and signs the sheet when the rules allow it.
 * After the certificate it only looks for what the certified sheet names. A seed that no replica has is then lost until the
 * next roster.
 */
import { type Clock, oneAtATime, type Random } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  effortSpan,
  equalBytes,
  isFederationError,
  isVacant,
  type PartSeed,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { fanOut } from '../../platform/fan-out.ts'
import type { Log } from '../../platform/log.ts'
import type { WrapGroup } from '../secrets/seed-wrap.ts'
import { seedExchange } from './seed-exchange.ts'
import { countRoot, isDisputed, isPatient, mayMake, maySign, toSignedRoots } from './seed-rule.ts'
import { ownParts, type Replica, type Shard, type ShardPart, sharedParts } from './shard.ts'
import { type GivenSeed, type Shards, wipe } from './shards.ts'

interface SeedRoundsInit {
  shards: Shards
  host: Pick<Host, 'request'>
  group: WrapGroup
  /** Draws the one-time keys of requests. */
  random: Random
  clock: Pick<Clock, 'now'>
  log: Log
  certified(): CertifiedRoster | undefined
}
/** The root that a replica signed for a shard of this period, if it is known here. */
export type SignedRoot = (key: Uint8Array, shard: number) => Uint8Array | undefined

export interface SeedRounds {
  /**
   * One try for each shard that is not whole, or that can still be signed. `forMs` is how long this peer has tried for the
   * roster; without `forMs` it asks no replica and signs only what others signed.
   */
  acquire(forMs: number | undefined, signedRoot: SignedRoot): Promise<void>
  /** Fetches the seeds that a replica offers; true if the node goes by one of them now. */
  takeOffered(shard: Shard, replica: Replica, offered: readonly number[]): Promise<boolean>
  /** Shards of which a seed or a line is still missing. */
  missing(): readonly Shard[]
}

/** The answer of a replica that was asked for its seeds. A refusal counts as an answer without any. */
interface Answer {
  readonly replica: Replica
  readonly root: Uint8Array | undefined
  readonly seeds: readonly PartSeed[]
}

export function seedRounds(init: SeedRoundsInit): SeedRounds {
  return new PeriodRounds(init)
}

class PeriodRounds implements SeedRounds {
  readonly #init: SeedRoundsInit
  readonly #shards: Shards
  readonly #exchange: ReturnType<typeof seedExchange>
  /** Replicas that signed another root than this node and gave their lines, by shard and rank. */
  readonly #audited = new Set<string>()

  constructor(init: SeedRoundsInit) {
    const { shards } = init
    this.#init = init
    this.#shards = shards
    const { firstEpoch, epochs, roster } = shards
    this.#exchange = seedExchange(init, { federation: roster.federation, firstEpoch, epochs })
  }

  missing(): readonly Shard[] {
    return this.#shards.all.filter((shard) => !this.#shards.isWhole(shard) && !this.#isVacantNow(shard))
  }

  async acquire(forMs: number | undefined, signedRoot: SignedRoot): Promise<void> {
    const { all } = this.#shards
    await fanOut(all, (shard) => this.#signFollowed(shard, this.#signedRoots(shard, signedRoot)))
    if (forMs === undefined) return
    await fanOut(all, async (shard) => {
      if (this.#isCertified()) await this.#recover(shard)
      else if (shard.signed === undefined) await this.#round(shard, forMs, signedRoot)
      else await this.#audit(shard, signedRoot)
    })
  }

  async takeOffered(shard: Shard, replica: Replica, offered: readonly number[]): Promise<boolean> {
    if (!sharedParts(shard, replica).some((part) => offered.includes(part))) return false
    try {
      const answer = { replica, ...(await this.#exchange.fetch(replica, shard, offered)) }
      return await this.#shards.take(shard, toGiven([answer])).finally(() => answer.seeds.forEach(wipe))
    } catch (error) {
      if (!isFederationError(error)) throw error
      return false
    }
  }

  async #round(shard: Shard, forMs: number, signedRoot: SignedRoot): Promise<void> {
    const first = await this.#ask(shard)
    let answers = first
    try {
      await this.#follow(shard, first, signedRoot)
      await this.#shards.take(shard, toGiven(first))
      await this.#make(shard, first, forMs)
      // The others may go by the offered seeds now, so their roots are worth a second question.
      if (await this.#offer(shard, first)) answers = await this.#ask(shard)
      await this.#fetchLines(shard, answers)
      await this.#compareLines(shard, answers)
      await this.#sign(shard, answers, forMs, this.#signedRoots(shard, signedRoot))
    } finally {
      for (const { seeds } of [...first, ...answers]) for (const seed of seeds) wipe(seed)
    }
  }

  /** The replicas that answered, by rank. A convicted replica is not asked. */
  async #ask(shard: Shard): Promise<Answer[]> {
    const answers: Answer[] = []
    const others = shard.otherReplicas.filter(({ rank }) => !this.#shards.isConvicted(shard, rank))
    await fanOut(others, async (replica) => {
      try {
        answers.push({ replica, ...(await this.#exchange.fetch(replica, shard)) })
      } catch (error) {
        if (!isAway(error)) answers.push({ replica, root: undefined, seeds: [] })
      }
    })
    return answers.sort((a, b) => a.replica.rank - b.replica.rank)
  }

  /** Looks for the sheet that this node signed before a restart, or that most others signed. */
  async #follow(shard: Shard, answers: readonly Answer[], signedRoot: SignedRoot): Promise<void> {
    const signed = this.#signedRoots(shard, signedRoot)
    const fixed = await this.#shards.fixedRoot(shard)
    const roots = fixed === undefined ? toSignedRoots(signed) : [fixed]
    // A sheet that only a convicted replica signed is as good as any other.
    const { target } = shard
    if (target !== undefined && !roots.some((root) => isRoot(target, root))) await this.#shards.aim(shard, undefined)
    for (const root of roots) {
      const isProven = fixed !== undefined || countRoot(signed, root) >= this.#shards.roster.threshold
      if (isRoot(shard.target, root) && (shard.target!.isProven || !isProven)) return
      if (isRoot(shard.tree, root)) {
        const lines = shard.parts.flatMap((part) => part.lines ?? [])
        if (await this.#shards.aim(shard, { root, lines, isProven })) return
      }
      const signs = ({ replica }: Answer): boolean => isRoot({ root: signedRoot(replica.key, shard.shard) }, root)
      // Anybody can sign a root that has no lines, so only those that know the root are asked for them.
      const known = answers.filter((answer) => fixed !== undefined || isRoot(answer, root) || signs(answer))
      if (await this.#learn(shard, root, known, isProven)) return
    }
  }

  /** Gets the lines of all parts from one replica, those that state this root first; false if nobody has them. */
  async #learn(shard: Shard, root: Uint8Array, answers: readonly Answer[], isProven: boolean): Promise<boolean> {
    for (const { replica } of [...answers].sort((a, b) => Number(isRoot(b, root)) - Number(isRoot(a, root)))) {
      try {
        const lines = []
        for (const { part, lines: known } of shard.parts) {
          lines.push(await this.#exchange.lines(replica, shard, part, known))
        }
        if (await this.#shards.aim(shard, { root, lines, isProven })) return true
      } catch (error) {
        if (!isFederationError(error)) throw error
      }
    }
    return false
  }

  async #make(shard: Shard, answers: readonly Answer[], forMs: number): Promise<void> {
    const { roster } = this.#shards
    const isFounding = roster.height === 0
    const common = {
      rank: shard.rank,
      replicas: shard.otherReplicas.length + 1,
      answered: answers.map(({ replica }) => replica.rank),
      forMs,
      isFounding,
      isSecondHalf: !isFounding && this.#isSecondHalf(),
      isConvicted: (rank: number) => this.#shards.isConvicted(shard, rank),
    }
    // Without a dispute all replicas have the seed of a convicted maker, and it is as good as any.
    const isDisputed = shard.disputedMs !== undefined
    const lacks = ({ lines }: ShardPart): boolean =>
      lines === undefined || (isDisputed && common.isConvicted(lines.maker))
    const due = ownParts(shard).filter((part) => lacks(part) && mayMake({ ...common, members: part.members }))
    if (due.length > 0) await this.#shards.make(shard, due)
  }

  /** Offers the seeds that this node made to the members that lack them; true if one of them took the offer. */
  async #offer(shard: Shard, answers: readonly Answer[]): Promise<boolean> {
    let isTaken = false
    await fanOut(answers, async ({ replica, seeds }) => {
      const has = ({ part, lines }: ShardPart): boolean =>
        seeds.some((seed) => seed.part === part && equalBytes(seed.signature, lines!.signature))
      const made = ownParts(shard).filter((part) => part.lines?.maker === shard.rank && !has(part))
      const offered = made.filter(({ members }) => members.includes(replica.rank)).map(({ part }) => part)
      if (offered.length === 0) return
      await this.#exchange.offer(replica, shard, offered)
      isTaken = true
    })
    return isTaken
  }

  /** Gets the lines of the other parts from the first member that has them. */
  async #fetchLines(shard: Shard, answers: readonly Answer[]): Promise<void> {
    for (const part of shard.parts) {
      for (const { replica } of answers) {
        if (part.isOwn || part.lines !== undefined) break
        if (part.members.includes(replica.rank)) await this.#noteLines(shard, part, replica)
      }
    }
  }

  /** Another root comes from other seeds. Asks its holders by which seeds of the other parts they go. */
  async #compareLines(shard: Shard, answers: readonly Answer[]): Promise<void> {
    const root = shard.tree?.root
    if (root === undefined) return
    const others = answers.filter((answer) => answer.root !== undefined && isDisputed(root, [answer.root]))
    await fanOut(others, async ({ replica }) => {
      for (const part of shard.parts) {
        if (!part.isOwn && part.members.includes(replica.rank)) await this.#noteLines(shard, part, replica)
      }
    })
  }

  async #noteLines(shard: Shard, part: ShardPart, replica: Replica): Promise<void> {
    try {
      const lines = await this.#exchange.lines(replica, shard, part.part, part.lines)
      await this.#shards.note(shard, part, replica.rank, lines)
    } catch (error) {
      if (!isFederationError(error)) throw error
    }
  }

  /** Another replica signed another root. Its lines show whether a maker signed two seeds of one part. */
  async #audit(shard: Shard, signedRoot: SignedRoot): Promise<void> {
    await fanOut(shard.otherReplicas, async (replica) => {
      const root = signedRoot(replica.key, shard.shard)
      const name = `${shard.shard} ${replica.rank}`
      if (root === undefined || isRoot(shard.tree, root) || this.#audited.has(name)) return
      for (const part of shard.parts) {
        const lines = await this.#exchange.lines(replica, shard, part.part, part.lines)
        this.#shards.judge(shard, part, lines)
      }
      this.#audited.add(name)
    })
  }

  async #sign(shard: Shard, answers: readonly Answer[], forMs: number, signed: readonly Uint8Array[]): Promise<void> {
    const root = shard.tree?.root
    if (root === undefined || this.#isCertified()) return
    const { roster } = this.#shards
    const nowMs = this.#init.clock.now()
    const stated = answers.map((answer) => answer.root)
    if (isDisputed(root, stated)) shard.disputedMs ??= nowMs
    else shard.disputedMs = undefined
    const mayNow = maySign({
      ...{ root, stated, signed, threshold: roster.threshold, replicas: shard.otherReplicas.length + 1 },
      disputedForMs: nowMs - (shard.disputedMs ?? nowMs),
      isLate: roster.height > 0 && this.#isSecondHalf() && isPatient(forMs),
    })
    // A root that this node signed before a restart is signed again.
    if (mayNow || shard.bound !== undefined) await this.#shards.sign(shard)
  }

  async #signFollowed(shard: Shard, signed: readonly Uint8Array[]): Promise<void> {
    const root = shard.tree?.root
    if (root === undefined || shard.signed !== undefined || this.#isCertified()) return
    if (countRoot(signed, root) >= this.#shards.roster.threshold) await this.#shards.sign(shard)
  }

  /** The certificate names the lines, so the first valid answer of any replica is enough. */
  async #recover(shard: Shard): Promise<void> {
    const isDone = (): boolean => this.#shards.isWhole(shard)
    const root = this.#init.certified()?.roster.sheets[shard.shard]
    if (root === undefined || isDone() || this.#isVacantNow(shard)) return
    const turn = oneAtATime()
    await fanOut(
      shard.otherReplicas,
      async (replica) => {
        const answer = { replica, ...(await this.#exchange.fetch(replica, shard)) }
        await turn(async () => {
          if (shard.tree === undefined) await this.#learn(shard, root, [answer], true)
          if (!isDone()) await this.#shards.take(shard, toGiven([answer]))
        }).finally(() => answer.seeds.forEach(wipe))
      },
      isDone,
    )
    this.#noteLoss(shard)
  }

  #noteLoss(shard: Shard): void {
    if (shard.isLost || this.#shards.isWhole(shard)) return
    shard.isLost = true
    this.#init.log.warn('seed.missing', { shard: shard.shard })
  }

  #signedRoots(shard: Shard, signedRoot: SignedRoot): Uint8Array[] {
    return shard.otherReplicas
      .filter(({ rank }) => !this.#shards.isConvicted(shard, rank))
      .flatMap(({ key }) => signedRoot(key, shard.shard) ?? [])
  }

  #isCertified(): boolean {
    return this.#init.certified() !== undefined
  }

  /** The certified roster leaves the shard vacant, so no replica has a seed for it. */
  #isVacantNow({ shard }: Shard): boolean {
    const roster = this.#init.certified()?.roster
    return roster !== undefined && isVacant(roster, shard)
  }

  #isSecondHalf(): boolean {
    const { periodEpochs, firstEpoch } = this.#shards.roster
    return this.#init.clock.now() >= effortSpan(periodEpochs, firstEpoch).signAnyFrom
  }
}

function toGiven(answers: readonly Answer[]): GivenSeed[] {
  return answers.flatMap(({ replica, seeds }) => seeds.map((seed) => ({ giver: replica.rank, seed })))
}

function isRoot(item: { readonly root: Uint8Array | undefined } | undefined, root: Uint8Array): boolean {
  return item?.root !== undefined && equalBytes(item.root, root)
}

function isAway(error: unknown): boolean {
  return isFederationError(error, 'PEER_UNREACHABLE') || isFederationError(error, 'PEER_TIMEOUT')
}
