/**
 * Opens the parts of a salt node and connects them: directory, network, seeds, membership and services. PROTOCOL.md §5.
 * Throws CORE_MISMATCH for a core that the federation does not pin, and ADDRESS_NOT_LOOPBACK for demo keys off the
 * loopback. Throws MANIFEST_INVALID as the central peer or in another federation's directory, and STORE_LOCKED in a
 * directory in use.
 */
import { join } from 'node:path'
import type { Clock, Core, Random } from '@geotrace/core-wasm'
import {
  equalBytes,
  isAppOrigin,
  type Manifest,
  manifestToId,
  manifestToRoster,
  RELAY_PROTOCOL,
  type Roster,
  SEEDS_PROTOCOL,
  type Signer,
  signHandover,
} from '@geotrace/core-wasm/wire'
import { type ClockWatch, clockWatch } from '../membership/clock-watch.ts'
import type { MemberRole, OpenRole } from '../membership/member-role.ts'
import { assertSameFederation, createMembership, type Membership } from '../membership/membership.ts'
import type { Pace } from '../membership/pace.ts'
import { openRosterStore, type RosterStore } from '../membership/roster-store.ts'
import { createHost, type OpenHost } from '../net/host.ts'
import type { HostLimits } from '../net/limits.ts'
import type { Handler, Host } from '../net/protocol.ts'
import type { CertificateSource } from '../net/transport/tls-certificate.ts'
import { fileRecords, type OpenRecords, type Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { relayService } from '../relay/relay-service.ts'
import { recentTokens, type TokenCheck, tokenCheck } from '../tokens/token-check.ts'
import { type Heartbeat, heartbeat } from './heartbeat.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import { levelQuotaDisk, type QuotaDisk } from './quota/quota-disk.ts'
import { type NodeSalting, openSalting } from './salting.ts'
import { hedgedRandom } from './secrets/hedged-random.ts'
import { type SeedKeeper, seedKeeper } from './secrets/seed-keeper.ts'
import { seedService } from './seeds/seed-service.ts'
import { assertCore, assertDemoIsLocal, assertServable, isCoreOf } from './start-checks.ts'

export interface SaltNodeInit {
  manifest: Manifest
  /** 32-byte Ed25519 secret of the node's peer id. */
  secret: Uint8Array
  /** 32-byte Ed25519 secret of the operator, if the operator votes with this node. */
  operatorSecret?: Uint8Array
  /** The directory of this node only; no other process uses it. */
  dir: string
  /** Multiaddrs where others reach this node; by default those of the newest roster or the manifest. */
  addresses?: readonly string[]
  /** The first bytes of the id of the release that this node claims to run. */
  release?: Uint8Array
  /** Multiaddrs where this node listens; by default `addresses`. */
  listen?: readonly string[]
  clock: Clock
  random: Random
  /** The randomness of seeds and of the one-time keys that wrap them; by default `random`, hedged with the node's key. */
  seedRandom?: Random
  log: Log
  core: Core
  localAddress?: string
  /** The TLS certificate for addresses that end in `/tls/ws`. */
  certificate?: CertificateSource
  /** Called before every request of a device; throws BUSY when this machine has no capacity left. */
  admit?: () => void
  /** Whether devices at this IP address, 4 or 16 bytes, may ask; by default all may. */
  allows?: (ip: Uint8Array) => boolean
  limits?: Partial<HostLimits>
  /** The network; libp2p by default. */
  openHost?: OpenHost
  /** The storage below `dir`; files and LevelDB by default. */
  openRecords?: OpenRecords
  openQuotaDisk?: (dir: string) => Promise<QuotaDisk>
  /** The pace of links and presences; `REAL_PACE` by default. */
  pace?: Pace
  /** Further roles of this member. */
  roles?: readonly OpenRole[]
}

/** The parts of a running node. */
export interface OpenNode {
  readonly host: Host
  readonly service: Service
  readonly keeper: SeedKeeper
  readonly quota: NodeSalting['quota']
  readonly membership: Membership
  readonly pulse: Heartbeat
  readonly holdings: Holdings
  readonly watch: ClockWatch
  readonly roles: readonly MemberRole[]
  /** Resolves when the holdings have followed the last roster. */
  settled(): Promise<void>
}
type Service = ReturnType<NodeSalting['serve']>

/** The parts that exist before the network does. */
interface Ground {
  readonly init: SaltNodeInit
  readonly signer: Signer
  readonly salting: NodeSalting
  readonly records: Records
  readonly rosters: RosterStore
  readonly addresses: readonly string[]
  readonly keeper: SeedKeeper
}

/** Opens a node that listens. `start` of its membership and heartbeat begin its work. */
export async function openNode(init: SaltNodeInit, signer: Signer): Promise<OpenNode> {
  const { manifest, dir, core, openRecords = fileRecords } = init
  assertServable(manifest, signer.key)
  // LevelDB creates its files with the permissions that the process's umask leaves.
  process.umask(0o077)
  const records = await openRecords(join(dir, 'records'))
  await assertSameFederation(manifest, records)
  const rosters = await openRosterStore(manifest, records)
  assertCore(manifest, rosters.newest?.roster, core)
  const addresses = init.addresses ?? ownAddresses(manifest, rosters.newest?.roster, signer.key)
  const listen = init.listen ?? addresses
  assertDemoIsLocal(manifest, [...listen, ...addresses])
  const keeper = seedKeeper(core)
  const openDisk = init.openQuotaDisk ?? levelQuotaDisk
  const salting = await openSalting(manifest, core, (name) => openDisk(join(dir, name)), init.clock.now())
  const ground = { init, signer, salting, records, rosters, addresses, keeper }
  let host: Host | undefined
  try {
    host = await listenOn(ground, listen)
    return await connect(ground, host)
  } catch (error) {
    await host?.stop()
    await salting.quota.close()
    throw error
  }
}

function listenOn({ init, rosters }: Ground, listen: readonly string[]): Promise<Host> {
  const { manifest, secret, clock, log, limits, localAddress, certificate, openHost = createHost } = init
  const more = {
    ...(limits && { limits }),
    ...(localAddress !== undefined && { localAddress }),
    ...(certificate && { certificate }),
  }
  return openHost({ secret, listen, clock, log, allowsOrigin: appsOf(manifest, rosters), ...more })
}

/** Web pages of the apps that the newest roster names may send requests. */
function appsOf(manifest: Manifest, rosters: RosterStore): (origin: string) => boolean {
  const founding = manifestToRoster(manifest)
  return (origin) => isAppOrigin(rosters.newest?.roster ?? founding, origin)
}

async function connect(ground: Ground, host: Host): Promise<OpenNode> {
  const { init, signer, salting, rosters, keeper } = ground
  const { clock, random, log, allows = () => true } = init
  let membership: Membership | undefined
  const { rule, group } = salting
  const seedRandom = init.seedRandom ?? hedgedRandom(random, signer, clock)
  const holdings = createHoldings({
    ...{ rosters, signer, host, core: init.core, clock, log, records: ground.records, keeper, rule, group },
    random: seedRandom,
    // Seeds are exchanged once the membership runs.
    isConvicted: (key) => membership?.pool.isConvicted(key) ?? false,
    accuse: (evidence) => membership?.accuse(evidence),
  })
  await holdings.settle()
  membership = await joinFederation(ground, host, holdings)
  const { peers } = membership
  const watch = clockWatch(host, () => peers.others(signer.key), clock, random, manifestToId(init.manifest))
  const pulse = beat(ground, holdings, watch)
  host.gossip.onPeer(() => pulse.met())
  const settled = followRosters(ground, holdings, pulse)
  await host.serve(SEEDS_PROTOCOL, seedsOf(ground, membership, holdings, seedRandom))
  const { pinned } = membership.pool
  const service = salting.serve({ clock, signer, random, rosters, holdings, keeper, watch, pinned, allows })
  await host.serve(service.protocol, admitted(service.handler, init.admit))
  const checkToken = relayTokens(ground)
  const relay = relayService({ manifest: init.manifest, host, peers, clock, checkToken, allows })
  await host.serve(RELAY_PROTOCOL, admitted(relay, init.admit))
  const roles = openRoles(ground, host, membership)
  return { host, service, quota: salting.quota, keeper, membership, pulse, holdings, watch, roles, settled }
}

/** The check of the tokens that pay for frames. */
function relayTokens({ init, signer, rosters }: Ground): TokenCheck {
  const federation = manifestToId(init.manifest)
  return tokenCheck({ kind: 'relay', federation, node: signer.key, parameters: () => recentTokens(rosters) })
}

function joinFederation(ground: Ground, host: Host, holdings: Holdings): Promise<Membership> {
  const { init, signer, records, rosters, addresses } = ground
  const { manifest, clock, random, log, operatorSecret, pace } = init
  return createMembership({
    ...{ manifest, host, signer, records, rosters, clock, random, log },
    ...(operatorSecret !== undefined && { operatorSecret }),
    ...(pace !== undefined && { pace }),
    addresses: () => addresses,
    ...(init.release && { release: init.release }),
    sheets: holdings,
    otherReplicas: () => holdings.otherReplicas(),
  })
}

function openRoles({ init, signer }: Ground, host: Host, membership: Membership): MemberRole[] {
  const { manifest, clock, random, log, dir, openRecords = fileRecords, roles = [] } = init
  return roles.map((open) => open({ manifest, signer, host, membership, clock, random, log, dir, openRecords }))
}

function beat({ init, keeper, salting }: Ground, holdings: Holdings, watch: ClockWatch): Heartbeat {
  return heartbeat({
    clock: init.clock,
    watch,
    advance(nowMs) {
      keeper.advance(nowMs)
      holdings.sweep(nowMs)
    },
    nextMs: () => keeper.nextMs(),
    sweep: (nowMs) => salting.quota.sweep(nowMs),
    seek: () => holdings.seek(),
    failed: (what) => init.log.error('salt.heartbeat-failed', { what }),
  })
}

/** Lets the holdings follow each new roster, one at a time. The result resolves when the last one is followed. */
function followRosters({ init, rosters }: Ground, holdings: Holdings, pulse: Heartbeat): () => Promise<void> {
  const { core, log } = init
  // `stop` waits for the last one, because another node may use the directory afterwards.
  let settling: Promise<void> = Promise.resolve()
  const settle = (): void => {
    settling = settling
      .then(() => holdings.settle())
      .then(
        () => pulse.joined(),
        () => log.error('salt.settle-failed'),
      )
  }
  rosters.onAdd(({ roster }) => {
    if (!isCoreOf(roster, core)) log.warn('core.outdated', { height: roster.height })
    settle()
  })
  rosters.onOvertaken(settle)
  return () => settling
}

function seedsOf(
  { init, signer, salting }: Ground,
  membership: Membership,
  holdings: Holdings,
  random: Random,
): Handler {
  const { clock, log } = init
  return seedService({
    ...{ holdings, group: salting.group, random },
    handedOver({ key }, shard, firstEpoch) {
      log.info('seed.handed-over', { shard, firstEpoch })
      membership.say(signHandover(signer, { taker: key, shard, firstEpoch, time: clock.now() }))
    },
  })
}

function admitted(handler: Handler, admit: SaltNodeInit['admit']): Handler {
  return async (request, from) => {
    admit?.()
    return await handler(request, from)
  }
}

/** This peer's addresses in the newest roster, before the founding in the manifest. */
function ownAddresses(manifest: Manifest, newest: Roster | undefined, key: Uint8Array): readonly string[] {
  const roster = newest ?? manifestToRoster(manifest)
  const peers = [...roster.members, ...roster.newcomers, ...roster.admitted]
  return peers.find((peer) => equalBytes(peer.key, key))?.addresses ?? []
}
