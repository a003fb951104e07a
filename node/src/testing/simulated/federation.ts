/**
 * A whole federation in one thread: real salt nodes and a real central peer on simulated machines, disks and network.
 * CONTRIBUTING "Simulation". Every event follows from the seed. This file knows nothing about the checks of a test.
 */
import { createHash } from 'node:crypto'
import type { Core } from '@geotrace/core-wasm'
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import {
  bytesToHex,
  completeManifest,
  keyToPeerId,
  type Manifest,
  nonceToCommitment,
  type Parameters,
  PLAIN_SALTING,
  type Signer,
} from '@geotrace/core-wasm/wire'
import { type CentralPeer, centralPeer } from '../../central/peer.ts'
import { SEED_PROFILE } from '../../central/risk/risk-profile.ts'
import { type MemoryDisk, memoryDisk } from '../../central/store/memory-store.ts'
import { type MemberCard, newManifest } from '../../membership/new-manifest.ts'
import { type Pace, REAL_PACE } from '../../membership/pace.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { type SaltNode, saltNode } from '../../salt/node.ts'
import type { SaltNodeInit } from '../../salt/open-node.ts'
import type { QuotaDisk } from '../../salt/quota/quota-disk.ts'
import { simulatedStore } from './central-disk.ts'
import type { Machine } from './machine.ts'
import { type SimulatedNetwork, simulatedNetwork } from './network.ts'
import { type PeerIdentity, type SimulatedPeer, simulatedPeer, type World } from './peer.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import { createTrace, type Trace } from './trace.ts'

interface SimulatedFederationInit {
  seed: string
  nodes: number
  startMs: number
  core: Core
  parameters?: Partial<Parameters>
  /** The intervals of links and heartbeats; the real ones unless given. */
  pace?: Pace
  /** Receives a line for every event. */
  listen?: (line: string) => void
}

export interface SimulatedFederation {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly trace: Trace
  readonly network: SimulatedNetwork
  readonly manifest: Manifest
  readonly core: Core
  /** The founding nodes, then the nodes that came to join, in order. */
  readonly saltNodes: readonly SimulatedPeer<SaltNode>[]
  readonly central: SimulatedPeer<CentralPeer>
  /** The content of the central peer's disk. */
  readonly deposits: MemoryDisk
  /** All 32-byte secrets that salt nodes drew for seeds. A hostile node adds those that it makes up. */
  readonly drawn: Uint8Array[]
  /** The operator keys of the founding nodes, by the node's name. */
  readonly operators: ReadonlyMap<string, Signer>
  /** Names of nodes that start without their operator's key, because a fault signs in the operator's place. */
  readonly withheld: Set<string>
  /** Quota entries that each salt node wrote to its disk before it answered, by name. */
  readonly charged: Map<string, number>
  /** Shards of which fewer than t running nodes held all parts at some moment. Their secrets may be lost, PROTOCOL.md §5.1. */
  readonly lostShards: ReadonlySet<number>
  /** Names of the nodes that lied at some time, of the nodes that asked to leave, and of the nodes that came to join. */
  readonly lied: Set<string>
  readonly left: Set<string>
  readonly joined: ReadonlySet<string>
  /** Events that no fault may cause: an error in a log, a peer that cannot start, a bug on a device. */
  readonly complaints: string[]
  /** Whether t replicas of each shard run, hold all its parts, have the time, tell no lie and can be reached from here now. */
  canAnswer(machine: string): boolean
  /** Adds a machine with a node that no roster names yet. Its operator is new, or the operator of the node `owner`. */
  addNode(owner?: string): Newcomer
}

interface Newcomer {
  readonly node: SimulatedPeer<SaltNode>
  readonly card: MemberCard
  readonly operator: Signer
}

interface Draft extends PeerIdentity {
  readonly operatorSecret: Uint8Array
  readonly address: string
  /** The nonce of its card. */
  readonly nonce: Uint8Array
}

/** Builds the federation. No peer runs before its `start`. */
export function simulatedFederation(init: SimulatedFederationInit): SimulatedFederation {
  const { seed, nodes, startMs, core, parameters, listen, pace = REAL_PACE } = init
  const random = seededRandom(seed)
  const scheduler = createScheduler(startMs)
  const trace = createTrace(listen)
  const network = simulatedNetwork(scheduler, random.fork('network'), trace)
  const drafts = Array.from({ length: nodes + 1 }, (_, i) => draft(i, i < nodes ? `node-${i}` : 'central', random))
  const manifest = foundManifest(drafts, startMs, parameters)
  const deposits = memoryDisk()
  const drawn: Uint8Array[] = []
  const complaints: string[] = []
  const lostShards = new Set<number>()
  const joined = new Set<string>()
  const withheld = new Set<string>()
  const charged = new Map<string, number>()

  const shared: Shared = { world: { scheduler, random, trace, network, complaints }, manifest, core, pace }
  const onKill = (killed: SaltNode): void => {
    for (const shard of heldShards(killed)) {
      const holders = saltNodes.filter((node) => heldShards(node.running).includes(shard))
      if (holders.length < manifest.parameters.threshold) lostShards.add(shard)
    }
  }
  const saltPeer = (item: Draft, more: () => Partial<SaltNodeInit>): SimulatedPeer<SaltNode> =>
    simulatedSaltNode(shared, item, more, { drawn, charged }, onKill)
  const founders = drafts.slice(0, -1)
  const saltNodes = founders.map((item) =>
    saltPeer(item, () => (withheld.has(item.name) ? {} : { operatorSecret: item.operatorSecret })),
  )

  return {
    scheduler,
    random,
    trace,
    network,
    manifest,
    core,
    deposits,
    drawn,
    complaints,
    lostShards,
    charged,
    withheld,
    operators: new Map(founders.map(({ name, operatorSecret }) => [name, nativeSigner(operatorSecret)])),
    lied: new Set(),
    left: new Set(),
    joined,
    saltNodes,
    canAnswer: (machine) => canAnswer({ manifest, network, saltNodes }, machine),
    addNode(owner) {
      const name = `joiner-${joined.size}`
      joined.add(name)
      const own = draft(drafts.length + joined.size, name, random)
      const { operatorSecret } = drafts.find((item) => item.name === owner) ?? own
      // An operator votes with one of its nodes, so its second node gets no operator key.
      const vote = owner === undefined ? { operatorSecret } : {}
      const node = saltPeer(own, () => ({ ...vote, addresses: [own.address] }))
      saltNodes.push(node)
      const card = toCard({ ...own, operatorSecret })
      return { node, card: { ...card, operator: owner ?? name }, operator: nativeSigner(operatorSecret) }
    },
    central: simulatedCentral(shared, drafts.at(-1)!, deposits),
  }
}

/** The parts that all peers of a federation share. */
interface Shared {
  readonly world: World
  readonly manifest: Manifest
  readonly core: Core
  readonly pace: Pace
}

/** A salt node. It adds the 32-byte secrets that it draws for seeds to `drawn`, and counts its quota entries in `charged`. */
function simulatedSaltNode(
  { world, manifest, core, pace }: Shared,
  { name, secret }: Draft,
  more: () => Partial<SaltNodeInit>,
  { drawn, charged }: Pick<SimulatedFederation, 'drawn' | 'charged'>,
  onKill: (killed: SaltNode) => void,
): SimulatedPeer<SaltNode> {
  const remember =
    ({ bytes }: SeededRandom) =>
    (length: number): Uint8Array => {
      const draw = bytes(length)
      if (length === 32) drawn.push(draw.slice())
      return draw
    }
  return simulatedPeer(
    world,
    { name, secret },
    ({ life, disk, random, log, openHost }) =>
      saltNode({
        ...more(),
        ...{ manifest, core, log, secret, dir: name, clock: life.clock, random: random.bytes, openHost, pace },
        seedRandom: remember(random),
        openRecords: disk.openRecords(life),
        openQuotaDisk: async (dir) => {
          const quota = await disk.openQuotaDisk(life)(dir)
          const put: QuotaDisk['put'] = async (entries) => {
            await quota.put(entries)
            charged.set(name, 1 + (charged.get(name) ?? 0))
          }
          return { ...quota, put }
        },
      }),
    onKill,
  )
}

function simulatedCentral(
  { world, manifest, pace }: Shared,
  { name, secret, operatorSecret }: Draft,
  deposits: MemoryDisk,
): SimulatedPeer<CentralPeer> {
  return simulatedPeer(world, { name, secret }, ({ life, disk, random, log, openHost }) =>
    centralPeer({
      ...{ manifest, log, secret, operatorSecret, sealSecret: toSealSecret(secret), dir: name, clock: life.clock },
      ...{ random: random.bytes, openHost, pace },
      // Long blocks carry risk too, because few people live in a simulation for a short time.
      config: { profile: { ...SEED_PROFILE, chainMinutes: 80 } },
      store: simulatedStore(deposits, disk, life),
      openRecords: disk.openRecords(life),
    }),
  )
}

/** Clocks that no fault has moved are less than this off. */
const TIME_OFF_MS = 5_000

function canAnswer(
  { manifest, network, saltNodes }: Pick<SimulatedFederation, 'manifest' | 'network' | 'saltNodes'>,
  machine: string,
): boolean {
  const isCut = (name: string): boolean => [...network.cuts].some((cut) => cut(machine, name) || cut(name, machine))
  const hasTime = ({ offsetMs }: Machine): boolean => Math.abs(offsetMs) <= TIME_OFF_MS
  const able = saltNodes.filter(({ name, machine: own }) => hasTime(own) && !network.liars.has(name) && !isCut(name))
  const { shards, threshold } = manifest.parameters
  return Array.from({ length: shards }, (_, shard) => shard).every(
    (shard) => able.filter(({ running }) => holdsAlways(running, shard)).length >= threshold,
  )
}

/** Whether a node holds a shard in every roster in which the node replicates the shard. */
function holdsAlways(node: SaltNode | undefined, shard: number): boolean {
  const own = (node?.status().shards ?? []).filter((item) => item.shard === shard)
  return own.length > 0 && own.every(({ held }) => held)
}

function heldShards(node: SaltNode | undefined): number[] {
  return (node?.status().shards ?? []).filter(({ held }) => held).map(({ shard }) => shard)
}

function draft(i: number, name: string, random: SeededRandom): Draft {
  const keys = random.fork(`keys/${name}`)
  return {
    name,
    secret: keys.bytes(32),
    operatorSecret: keys.bytes(32),
    nonce: keys.bytes(32),
    address: `/ip4/127.1.${i >> 8}.${i & 255}/tcp/4001`,
  }
}

/** The complete manifest that these peers found, with plain salting unless given; the last one is the central peer. */
export function foundManifest(drafts: readonly Draft[], at: number, parameters?: Partial<Parameters>): Manifest {
  const cards = drafts.map(toCard)
  const [members, central] = [cards.slice(0, -1), cards.at(-1)!]
  const frozen = newManifest({
    name: 'simulated',
    members,
    central: { ...central, seal: bytesToHex(secretToSealKey(toSealSecret(drafts.at(-1)!.secret))) },
    at,
    parameters: { ...PLAIN_SALTING, ...parameters },
  })
  return completeManifest(
    frozen,
    drafts.map(({ nonce }) => nonce),
  )
}

/** The first seal secret of a central peer with this secret. */
function toSealSecret(secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('seal').update(secret).digest())
}

/** The card of a peer with these secrets. */
function toCard({ name, secret, operatorSecret, address, nonce }: Draft): MemberCard {
  return {
    operator: name,
    operatorKey: bytesToHex(nativeSigner(operatorSecret).key),
    peerId: keyToPeerId(nativeSigner(secret).key),
    addresses: [address],
    commitment: bytesToHex(nonceToCommitment(nonce)),
  }
}
