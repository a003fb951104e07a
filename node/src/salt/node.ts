/**
 * A volunteer's salt node: keeps seeds and answers requests for salts; it learns no position and no user. PROTOCOL.md §5.
 * `start` throws CORE_MISMATCH for a core that the federation does not pin, and ADDRESS_NOT_LOOPBACK for demo keys off the
 * loopback. It throws MANIFEST_INVALID as the central peer or in another federation's directory, and STORE_LOCKED in a
 * directory in use. A node that no roster names yet follows the rosters and serves once a roster names it.
 */
import { join } from 'node:path'
import type { Clock, Core, Random } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  EPOCH_MS,
  equalBytes,
  hashToRosterName,
  isAppOrigin,
  isGone,
  isVacant,
  keyToMember,
  keyToPeerId,
  type Manifest,
  manifestToId,
  manifestToRoster,
  type Roster,
  SALT_PROTOCOL,
  SEEDS_PROTOCOL,
  signHandover,
} from '@geotrace/core-wasm/wire'
import { type ClockWatch, clockWatch, type PeerReach } from '../membership/clock-watch.ts'
import {
  assertSameFederation,
  createMembership,
  type Membership,
  type MembershipStatus,
} from '../membership/membership.ts'
import type { Pace } from '../membership/pace.ts'
import { openRosterStore, type RosterStore } from '../membership/roster-store.ts'
import { createHost, type OpenHost } from '../net/host.ts'
import type { HostLimits } from '../net/limits.ts'
import type { Handler, Host, HostStats } from '../net/protocol.ts'
import type { CertificateSource } from '../net/transport/tls-certificate.ts'
import { fileRecords, type OpenRecords } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { type Heartbeat, heartbeat } from './heartbeat.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import { type SaltQuestion, saltQuota } from './quota/quota.ts'
import { levelQuotaDisk, type QuotaDisk } from './quota/quota-disk.ts'
import { openQuotaTable, type QuotaTable } from './quota/quota-table.ts'
import { hedgedRandom } from './secrets/hedged-random.ts'
import { type SeedKeeper, seedKeeper } from './secrets/seed-keeper.ts'
import { seedService } from './seed-service.ts'
import { saltService } from './service.ts'
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
  /** Multiaddrs where this node listens; by default `addresses`. */
  listen?: readonly string[]
  clock: Clock
  random: Random
  log: Log
  core: Core
  localAddress?: string
  /** The TLS certificate for addresses that end in `/tls/ws`. */
  certificate?: CertificateSource
  /** Called before every salt request; throws BUSY when this machine has no capacity left. */
  admit?: () => void
  limits?: Partial<HostLimits>
  /** The network; libp2p by default. */
  openHost?: OpenHost
  /** The storage below `dir`; files and LevelDB by default. */
  openRecords?: OpenRecords
  openQuotaDisk?: (dir: string) => Promise<QuotaDisk>
  /** The pace of links and presences; `REAL_PACE` by default. */
  pace?: Pace
}

/**
 * `joining`: no roster is known yet. `waiting`: no roster names this node.
 * `draining`: the node leaves the federation and serves the shards that it still holds. `leaving`: it is stopping.
 */
type SaltNodeState = 'joining' | 'waiting' | 'serving' | 'draining' | 'leaving' | 'stopped'

/** The node's health for operators and status pages: counts and public keys only. */
export interface SaltNodeStatus {
  state: SaltNodeState
  peerId: string
  /** Unix ms; undefined before `start`. */
  startedMs: number | undefined
  /** The newest certified roster that is known here. */
  roster: RosterStatus | undefined
  /** SHA-256 of this node's core, hex. */
  core: string
  /** This node's shards in all certified rosters still in use, oldest roster first. */
  shards: { firstEpoch: number; shard: number; held: boolean }[]
  membership: MembershipStatus | undefined
  /** This node's clock minus the median of its peers' clocks, ms. */
  clockOffsetMs: number
  /** How many peers answered the last comparison of clocks. */
  reach: PeerReach | undefined
  network: HostStats
  /** Salt requests answered since the start. */
  answered: number
  /** Salt requests refused since the start, by error code. */
  refused: Record<string, number>
  /** Entries in the quota table. */
  requesters: number
}

interface RosterStatus {
  height: number
  name: string
  /** Unix ms. */
  fromMs: number
  /** Ends of the roster's period and of its reserve, Unix ms. The reserve counts while no later roster is certified. */
  untilMs: number
  reserveUntilMs: number
  /** SHA-256 of the two builds of the core that the roster pins, hex. */
  core: { simd: string; scalar: string }
  /** The number of shards, N. */
  shards: number
}

export interface SaltNode {
  readonly key: Uint8Array
  /** Resolves when the node listens and its first founding round is over; `status` says whether it serves. */
  start(): Promise<void>
  stop(): Promise<void>
  status(): SaltNodeStatus
  /** The node's membership while it runs. */
  membership(): Membership | undefined
  /** Compares clocks with the peers now, which also updates `reach`. */
  lookAround(): Promise<void>
  /** Multiaddrs that the node listens on, without the peer id; none before `start`. */
  addresses(): string[]
}

export function saltNode(init: SaltNodeInit): SaltNode {
  const { manifest, secret, operatorSecret, dir, clock, random, log, core } = init
  const { openHost = createHost, openRecords = fileRecords } = init
  const signer = nativeSigner(secret)
  let state: 'stopped' | 'running' | 'leaving' = 'stopped'
  let parts: Parts | undefined
  let opening: Promise<Parts> | undefined
  let startedMs: number | undefined
  let stats = (): HostStats => ({ connections: 0, waiting: 0, inFlight: 0, protocols: {} })

  async function open(): Promise<Parts> {
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
    const quota = await openQuota(init)
    let host: Host | undefined
    try {
      const { limits, localAddress, certificate } = init
      const more = {
        ...(limits && { limits }),
        ...(localAddress !== undefined && { localAddress }),
        ...(certificate && { certificate }),
      }
      host = await openHost({ secret, listen, clock, log, allowsOrigin: appsOf(manifest, rosters), ...more })
      const shared = { rosters, signer, host, clock, random, log, records }
      const holdings = createHoldings({ ...shared, random: hedgedRandom(random, signer, clock), core, keeper })
      await holdings.settle()
      const votes = operatorSecret === undefined ? {} : { operatorSecret }
      const steps = init.pace === undefined ? {} : { pace: init.pace }
      const membership = await createMembership({
        ...shared,
        ...votes,
        ...steps,
        manifest,
        addresses: () => addresses,
        sheets: holdings,
        otherReplicas: () => holdings.otherReplicas(),
      })
      const watch = clockWatch(host, () => membership.peers.others(signer.key), clock, random, manifestToId(manifest))
      const pulse = heartbeat({
        clock,
        watch,
        advance(nowMs) {
          keeper.advance(nowMs)
          holdings.sweep(nowMs)
        },
        nextMs: () => keeper.nextMs(),
        sweep: (nowMs) => quota.sweep(nowMs),
        seek: () => holdings.seek(),
        failed: (what) => log.error('salt.heartbeat-failed', { what }),
      })
      host.gossip.onPeer(() => pulse.met())
      const { settle, settled } = settling(holdings, pulse, log)
      rosters.onAdd(({ roster }) => {
        if (!isCoreOf(roster, core)) log.warn('core.outdated', { height: roster.height })
        settle()
      })
      rosters.onOvertaken(settle)
      const handedOver = (taker: { key: Uint8Array }, shard: number, firstEpoch: number): void => {
        log.info('seed.handed-over', { shard, firstEpoch })
        membership.say(signHandover(signer, { taker: taker.key, shard, firstEpoch, time: clock.now() }))
      }
      await host.serve(SEEDS_PROTOCOL, seedService({ holdings, keeper, handedOver }))
      const { pinned } = membership.pool
      const service = saltService({ core, clock, signer, rosters, holdings, keeper, quota, watch, pinned })
      await host.serve(SALT_PROTOCOL, admitted(service))
      stats = host.stats
      return { host, quota, keeper, membership, pulse, holdings, watch, settled }
    } catch (error) {
      await host?.stop()
      await quota.close()
      throw error
    }
  }

  function admitted(handler: Handler): Handler {
    return async (request, from) => {
      init.admit?.()
      return await handler(request, from)
    }
  }

  function currentState(): SaltNodeState {
    if (state !== 'running') return state
    const { rosters } = parts?.membership ?? {}
    if (rosters?.newest === undefined) return 'joining'
    const { roster } = rosters.newest
    const held = parts?.holdings.inForce(clock.now()).some(({ all }) => all.length > 0)
    if (keyToMember(roster, signer.key) !== undefined) return isGone(roster, signer.key) ? 'draining' : 'serving'
    return held ? 'draining' : 'waiting'
  }

  return {
    key: signer.key,
    async start() {
      if (state !== 'stopped') throw new TypeError('the node was started already')
      state = 'running'
      try {
        opening = open()
        parts = await opening
        if (state !== 'running') return
        startedMs = clock.now()
        parts.pulse.start()
        if (parts.membership.rosters.newest !== undefined) parts.pulse.joined()
        await parts.membership.start()
      } catch (error) {
        await this.stop()
        throw error
      }
    },
    async stop() {
      state = 'leaving'
      // A stop during the start waits for the start, because otherwise a port would stay open.
      const wasOpening = opening
      opening = undefined
      const leaving = await wasOpening?.catch(() => undefined)
      parts = undefined
      const isQuiet = leaving && Promise.all([leaving.pulse.stop(), leaving.membership.stop()])
      await leaving?.host.stop()
      leaving?.keeper.wipe()
      await isQuiet
      await leaving?.settled()
      await leaving?.quota.close()
      state = 'stopped'
    },
    status() {
      const certified = parts?.membership.rosters.newest
      const network = stats()
      return {
        state: currentState(),
        peerId: keyToPeerId(signer.key),
        startedMs,
        roster: certified && rosterStatus(certified),
        core: core.sha256,
        shards: parts === undefined ? [] : shardsOf(parts.holdings, clock.now()),
        membership: parts?.membership.status(),
        clockOffsetMs: parts?.watch.offsetMs ?? 0,
        reach: parts?.watch.reach,
        network,
        answered: network.protocols[SALT_PROTOCOL.id]?.answered ?? 0,
        refused: { ...network.protocols[SALT_PROTOCOL.id]?.refused },
        requesters: parts?.quota.size ?? 0,
      }
    },
    membership: () => parts?.membership,
    lookAround: async () => void (await parts?.watch.check()),
    addresses: () => parts?.host.addresses() ?? [],
  }
}

function rosterStatus({ roster, hash }: CertifiedRoster): RosterStatus {
  const { height, firstEpoch, periodEpochs, reserveEpochs, core, shards } = roster
  return {
    height,
    name: bytesToHex(hashToRosterName(hash)),
    fromMs: firstEpoch * EPOCH_MS,
    untilMs: (firstEpoch + periodEpochs) * EPOCH_MS,
    reserveUntilMs: (firstEpoch + periodEpochs + reserveEpochs) * EPOCH_MS,
    core: { simd: bytesToHex(core.simd), scalar: bytesToHex(core.scalar) },
    shards,
  }
}

/** The shards of rosters in force, without vacant ones, which no replica holds. */
function shardsOf(holdings: Holdings, nowMs: number): SaltNodeStatus['shards'] {
  return holdings.inForce(nowMs).flatMap(({ roster, firstEpoch, all }) => {
    // A roster that was due has no sheets; the certified one names the vacant shards.
    const certified = holdings.certified(firstEpoch)?.roster ?? roster
    return all
      .filter(({ shard }) => !isVacant(certified, shard))
      .map(({ shard, tree }) => ({ firstEpoch, shard, held: tree !== undefined }))
  })
}

/**
 * Lets the holdings follow the rosters, one change at a time. `stop` waits for the last one, because another node may use
 * the directory afterwards.
 */
function settling(holdings: Holdings, pulse: Heartbeat, log: Log): { settle(): void; settled(): Promise<void> } {
  let last: Promise<void> = Promise.resolve()
  return {
    settle() {
      last = last
        .then(() => holdings.settle())
        .then(
          () => pulse.joined(),
          () => log.error('salt.settle-failed'),
        )
    },
    settled: () => last,
  }
}

interface Parts {
  host: Host
  keeper: SeedKeeper
  quota: QuotaTable<SaltQuestion>
  membership: Membership
  pulse: Heartbeat
  holdings: Holdings
  watch: ClockWatch
  /** Resolves when the holdings have followed the last roster. */
  settled(): Promise<void>
}

async function openQuota(init: SaltNodeInit): Promise<QuotaTable<SaltQuestion>> {
  const { manifest, dir, clock, openQuotaDisk = levelQuotaDisk } = init
  const disk = await openQuotaDisk(join(dir, 'quota'))
  return openQuotaTable(disk, saltQuota(manifest.parameters.quota), clock.now())
}

/** Web pages of the apps that the newest roster names may send requests. */
function appsOf(manifest: Manifest, rosters: RosterStore): (origin: string) => boolean {
  const founding = manifestToRoster(manifest)
  return (origin) => isAppOrigin(rosters.newest?.roster ?? founding, origin)
}

/** This peer's addresses in the newest roster, before the founding in the manifest. */
function ownAddresses(manifest: Manifest, newest: Roster | undefined, key: Uint8Array): readonly string[] {
  const roster = newest ?? manifestToRoster(manifest)
  const peers = [...roster.members, ...roster.newcomers, ...roster.admitted]
  return peers.find((peer) => equalBytes(peer.key, key))?.addresses ?? []
}
