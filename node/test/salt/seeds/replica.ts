/**
 * The replicas of one shard in memory, each with real shards, seed rounds and seed service, for tests of seeds. Requests are
 * function calls. Signed sheets and evidence reach every replica at once, as by gossip.
 */
import { type Clock, type Random, type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import {
  bodyToCertified,
  bytesToHex,
  type CertifiedRoster,
  decodeSeedsReply,
  decodeSeedsRequest,
  type Evidence,
  encodeRefusal,
  encodeRoster,
  errorToRefusal,
  FederationError,
  isProof,
  manifestToRoster,
  type Roster,
  type Signer,
  STATUS_OK,
  shardToReplicas,
  type WrappedSeed,
} from '@geotrace/core-wasm/wire'
import { toyGroup } from '../../../../core-wasm/test/voprf/toy-group.ts'
import type { Handler, Host } from '../../../src/net/protocol.ts'
import type { Records } from '../../../src/platform/file-records.ts'
import { silent } from '../../../src/platform/log.ts'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { type SeedKeeper, seedKeeper } from '../../../src/salt/secrets/seed-keeper.ts'
import type { WrapGroup } from '../../../src/salt/secrets/seed-wrap.ts'
import { type SeedRounds, seedRounds } from '../../../src/salt/seeds/seed-rounds.ts'
import { seedService } from '../../../src/salt/seeds/seed-service.ts'
import { ownParts, type Shard } from '../../../src/salt/seeds/shard.ts'
import { createShards, type Shards } from '../../../src/salt/seeds/shards.ts'
import { type LineGroup, plainRule, type SheetRule, thresholdRule } from '../../../src/salt/sheets/line-rules.ts'
import { foundManifest } from '../../../src/testing/simulated/federation.ts'
import { memoryRecords } from '../../membership/agreement/council-world.ts'
import { core } from '../federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
/** Long enough for every rank to have waited for the ranks below. */
const PATIENT_MS = 60_000

export interface GroupInit {
  replicas: number
  threshold?: number
  /** Fields of the roster; by default it is the founding roster with two epochs. */
  roster?: Partial<Roster>
  random?: Random
  /** The group of lines and wrapped seeds. By default it is `toyGroup`, and threshold 1 is `plain`. */
  group?: LineGroup & WrapGroup
  /** Runs the handler of a replica that was asked, now or later; throws when the request is lost. */
  carry?: (from: number, to: number, serve: () => Promise<Uint8Array>) => Promise<Uint8Array>
}

/** The replicas of one shard, by rank. */
export class Group {
  readonly roster: Roster
  readonly clock: SimulatedClock = simulatedClock(NOW)
  readonly replicas: readonly TestReplica[]
  readonly evidence: Evidence[] = []
  readonly convicted = new Set<string>()
  certified: CertifiedRoster | undefined
  readonly #carry: NonNullable<GroupInit['carry']>
  /** The group of lines and wrapped seeds. */
  readonly group: LineGroup & WrapGroup
  readonly #isPlain: boolean

  constructor({ replicas, threshold = 1, roster = {}, random = systemRandom, group, carry }: GroupInit) {
    this.group = group ?? toyGroup
    this.#isPlain = group === undefined && threshold === 1
    const peers = Array.from({ length: replicas + 1 }, (_, i) => ({
      ...{ name: `operator-${i}`, secret: random(32), operatorSecret: random(32), nonce: random(32) },
      address: `/ip4/127.0.0.1/tcp/${4100 + i}`,
    }))
    const salting = this.#isPlain ? {} : { salting: 'threshold' as const, threshold }
    const parameters = { shards: 1, replicas, reserveEpochs: 0, periodEpochs: 2, ...salting }
    this.roster = { ...manifestToRoster(foundManifest(peers, NOW, parameters)), ...roster }
    this.#carry = carry ?? ((_from, _to, serve) => serve())
    const signers = peers.map(({ secret }) => nativeSigner(secret))
    this.replicas = shardToReplicas(this.roster, 0).map(
      ({ key }, rank) =>
        new TestReplica(this, signers.find((signer) => bytesToHex(signer.key) === bytesToHex(key))!, rank, random),
    )
  }

  rule(): SheetRule {
    return this.#isPlain ? plainRule(core) : thresholdRule(core, this.group)
  }

  /** All replicas take a round at the same time. */
  async round(forMs = PATIENT_MS): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.acquire(forMs)))
  }

  /** The roster is certified with this root. */
  async certify(sheet: Uint8Array): Promise<void> {
    this.certified = bodyToCertified(encodeRoster({ ...this.roster, sheets: [sheet] }), [], [])
    for (const { shards } of this.replicas) await shards.settle()
  }

  accuse(evidence: Evidence): void {
    if (!isProof(evidence, () => undefined)) throw new Error('evidence without proof')
    this.evidence.push(evidence)
    this.convicted.add(bytesToHex(evidence.key))
  }

  #noteSeeds(seeds: readonly WrappedSeed[]): void {
    for (const { part, maker, signature } of seeds) {
      const { seedsMade } = this.replicas[maker]!
      seedsMade.set(part, (seedsMade.get(part) ?? new Set()).add(bytesToHex(signature)))
    }
  }

  /** The root that a replica signed, as far as others know. */
  signedRoot(key: Uint8Array): Uint8Array | undefined {
    return this.replicas.find((replica) => Buffer.compare(replica.key, key) === 0)?.published
  }

  async request(from: TestReplica, key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    const target = this.replicas.find((replica) => Buffer.compare(replica.key, key) === 0)!
    const sent = bytes.slice()
    const request = decodeSeedsRequest(sent)
    const serve = async (): Promise<Uint8Array> => {
      if (!target.isUp || !from.isUp) throw new FederationError('PEER_UNREACHABLE', 'down', { tried: 1 })
      const reply = await target.serve(sent, from)
      if (reply[0] === STATUS_OK && request.op === 'fetch') this.#noteSeeds(decodeSeedsReply(reply).parts)
      return reply
    }
    return await this.#carry(from.rank, target.rank, serve)
  }
}

/** One process of a replica after the other, with the same key and records. */
export class TestReplica {
  readonly key: Uint8Array
  readonly rank: number
  readonly signer: Signer
  isUp = true
  /** The root of the sheet that others know as signed by this replica. */
  published: Uint8Array | undefined
  /** Roots that this replica signed, in hex, in all its lives. */
  readonly signedRoots = new Set<string>()
  /** The signatures under seeds of this replica that any replica received, in hex, by part. */
  readonly seedsMade = new Map<number, Set<string>>()
  /** Draws of 32 bytes. */
  drawn = 0
  /** Ranks of the replicas that got a seed after the certificate. */
  readonly given: number[] = []
  readonly clock: Clock
  records: Records = memoryRecords()
  shards!: Shards
  keeper!: SeedKeeper
  #rounds!: SeedRounds
  #handler!: Handler
  /** Answers in place of the replica, when a test lets it lie. */
  lie: ((bytes: Uint8Array, from: TestReplica) => Promise<Uint8Array>) | undefined
  readonly #group: Group
  readonly #random: Random

  constructor(group: Group, signer: Signer, rank: number, random: Random) {
    this.#group = group
    this.signer = signer
    this.key = signer.key
    this.rank = rank
    this.#random = random
    this.clock = group.clock
    this.restart()
  }

  draw(length: number): Uint8Array {
    return this.#random(length)
  }

  rule(): SheetRule {
    return this.#group.rule()
  }

  get shard(): Shard {
    return this.shards.all[0]!
  }

  /** Ends the process, whose memory is lost, and begins another one. */
  restart(): void {
    this.keeper?.wipe()
    this.shards?.close()
    const group = this.#group
    const { roster, clock } = group
    this.keeper = seedKeeper(core)
    const certified = () => group.certified
    const random: Random = (length) => {
      if (length === 32) this.drawn++
      return this.#random(length)
    }
    this.shards = createShards({
      ...{ roster, signer: this.signer, core, rule: group.rule(), clock, random, records: this.records, certified },
      keeper: this.keeper,
      isConvicted: (key) => group.convicted.has(bytesToHex(key)),
      accuse: (evidence) => group.accuse(evidence),
    })
    const request: Host['request'] = (peer, _protocol, bytes) => group.request(this, peer.key, bytes)
    const wrapping = { group: group.group, random }
    this.#rounds = seedRounds({ shards: this.shards, host: { request }, ...wrapping, clock, log: silent, certified })
    const holdings = {
      find: (firstEpoch: number, shard: number) =>
        firstEpoch === roster.firstEpoch && shard === 0
          ? { shards: this.shards, rounds: this.#rounds, shard: this.shard }
          : undefined,
      certified,
    }
    this.#handler = seedService({ holdings, ...wrapping, handedOver: ({ rank }) => this.given.push(rank) })
  }

  async serve(bytes: Uint8Array, from: TestReplica): Promise<Uint8Array> {
    try {
      if (this.lie !== undefined) return await this.lie(bytes, from)
      return await this.honestly(bytes, from)
    } catch (error) {
      return encodeRefusal(errorToRefusal(error))
    }
  }

  honestly(bytes: Uint8Array, from: TestReplica): Promise<Uint8Array> {
    return this.#handler(bytes, { key: from.key, prefix: undefined, fence: undefined } as never)
  }

  async acquire(forMs: number | undefined = PATIENT_MS): Promise<void> {
    const { shards } = this
    await this.#rounds.acquire(forMs, (key) => this.#group.signedRoot(key))
    // The process may have ended meanwhile.
    const signed = shards === this.shards ? this.shard.signed : undefined
    if (signed === undefined) return
    this.published ??= signed.root
    this.signedRoots.add(bytesToHex(signed.root))
  }

  root(): Uint8Array | undefined {
    return this.shard.signed?.root
  }

  isWhole(): boolean {
    return this.shards.isWhole(this.shard)
  }

  /** The state of the seed of a part, which is 0 under `plain`. */
  seed(part = 0): Uint8Array | undefined {
    return this.keeper.seed({ shard: 0, firstEpoch: this.#group.roster.firstEpoch, part })?.state
  }

  /** Makes the seeds of all its parts, as if no other replica answered. */
  async make(): Promise<void> {
    await this.shards.make(this.shard, ownParts(this.shard))
  }
}
