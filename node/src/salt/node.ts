/**
 * A volunteer's salt node: keeps seeds, answers for salts, and knows nothing about anyone. PROTOCOL.md §5.
 * Refuses to start with a core that the federation does not pin (CORE_MISMATCH), with demo keys off the loopback
 * (ADDRESS_NOT_LOOPBACK), as the central peer (MANIFEST_INVALID), or in a directory in use (STORE_LOCKED).
 * Who is no member yet follows the rosters and serves from when one names it.
 */
import { join } from 'node:path'
import type { Clock, Core, Random } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  EPOCH_MS,
  equalBytes,
  hashToRosterName,
  isGone,
  isVacant,
  keyToMember,
  keyToPeerId,
  type Manifest,
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
import { openRosterStore } from '../membership/roster-store.ts'
import { createHost, type OpenHost } from '../net/host.ts'
import type { HostLimits } from '../net/limits.ts'
import type { Handler, Host, HostStats } from '../net/protocol.ts'
import type { CertificateSource } from '../net/transport/tls-certificate.ts'
import { fileRecords, type OpenRecords } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { type Heartbeat, heartbeat } from './heartbeat.ts'
import { createHoldings, type Holdings } from './holdings.ts'
import { levelQuotaDisk, type QuotaDisk } from './quota/quota-disk.ts'
import { openQuotaTable, type QuotaTable } from './quota/quota-table.ts'
import { type SeedKeeper, seedKeeper } from './secrets/seed-keeper.ts'
import { seedService } from './seed-service.ts'
import { saltService } from './service.ts'
import { assertCore, assertDemoIsLocal, assertNotCentral, isCoreOf } from './start-checks.ts'

export interface SaltNodeInit {
  manifest: Manifest
  /** 32-byte Ed25519 secret of its peer id. */
  secret: Uint8Array
  /** Of its operator, if the operator votes with this node. */
  operatorSecret?: Uint8Array
  /** A directory of its own. */
  dir: string
  /** Where others reach it; otherwise what the rosters say, or where it listens. */
  addresses?: readonly string[]
  /** Where to listen; otherwise at its addresses. */
  listen?: readonly string[]
  clock: Clock
  random: Random
  log: Log
  core: Core
  localAddress?: string
  /** For addresses that end in `/tls/ws`. */
  certificate?: CertificateSource
  /** Called before every salt request; throws BUSY when this machine has nothing to spare. */
  admit?: () => void
  limits?: Partial<HostLimits>
  /** The network; libp2p unless given. */
  openHost?: OpenHost
  /** The disk below `dir`; files and LevelDB unless given. */
  openRecords?: OpenRecords
  openQuotaDisk?: (dir: string) => Promise<QuotaDisk>
  /** Of links and heartbeats; real unless given. */
  pace?: Pace
}

/** `joining`: no roster yet. `waiting`: none names this node. `draining`: it leaves and serves what it still holds. */
export type SaltNodeState = 'joining' | 'waiting' | 'serving' | 'draining' | 'leaving' | 'stopped'

/** Health for people and pages: counts and public keys only. */
export interface SaltNodeStatus {
  state: SaltNodeState
  peerId: string
  /** Unix ms; undefined before `start`. */
  startedMs: number | undefined
  /** The newest certified one that is known. */
  roster: RosterStatus | undefined
  /** SHA-256 of our core. */
  core: string
  /** Of all certified rosters still in use, oldest first. */
  shards: { firstEpoch: number; shard: number; held: boolean }[]
  membership: MembershipStatus | undefined
  /** Against the median of its peers. */
  clockOffsetMs: number
  /** Peers that answered when last asked. */
  reach: PeerReach | undefined
  network: HostStats
  /** Salt requests since the start. */
  answered: number
  /** Salt requests since the start that were turned away, by error code. */
  refused: Record<string, number>
  /** Requesters remembered for their quota. */
  requesters: number
}

export interface RosterStatus {
  height: number
  name: string
  /** Unix ms. */
  fromMs: number
  /** End of its period, and of the reserve on which it stands while no other is certified; Unix ms. */
  untilMs: number
  reserveUntilMs: number
  /** SHA-256 of the builds of the core that it pins. */
  core: { simd: string; scalar: string }
  /** N. */
  shards: number
}

export interface SaltNode {
  readonly key: Uint8Array
  /** Resolves when it listens and its first founding round is over; `status` says whether it serves. */
  start(): Promise<void>
  stop(): Promise<void>
  status(): SaltNodeStatus
  /** Its part in the federation, while it runs. */
  membership(): Membership | undefined
  /** Asks its peers now whether they are there and what time it is. */
  lookAround(): Promise<void>
  /** Multiaddrs that it listens on, without the peer id; none before `start`. */
  addresses(): string[]
}

export function saltNode(init: SaltNodeInit): SaltNode {
  const { manifest, secret, operatorSecret, dir, clock, random, log, core } = init
  const { openHost = createHost, openRecords = fileRecords, openQuotaDisk = levelQuotaDisk } = init
  const signer = nativeSigner(secret)
  let state: 'stopped' | 'running' | 'leaving' = 'stopped'
  let parts: Parts | undefined
  let opening: Promise<Parts> | undefined
  let startedMs: number | undefined
  let stats = (): HostStats => ({ connections: 0, waiting: 0, inFlight: 0, protocols: {} })

  async function open(): Promise<Parts> {
    assertNotCentral(manifest, signer.key)
    // LevelDB makes its files as the process's mask says.
    process.umask(0o077)
    const records = await openRecords(join(dir, 'records'))
    await assertSameFederation(manifest, records)
    const rosters = await openRosterStore(manifest, records)
    assertCore(manifest, rosters.newest?.roster, core)
    const addresses = init.addresses ?? ownAddresses(manifest, rosters.newest?.roster, signer.key)
    const listen = init.listen ?? addresses
    assertDemoIsLocal(manifest, [...listen, ...addresses])
    const keeper = seedKeeper(core)
    const quota = await openQuotaTable(await openQuotaDisk(join(dir, 'quota')), manifest.parameters.quota, clock.now())
    let host: Host | undefined
    try {
      const { limits, localAddress, certificate } = init
      const more = {
        ...(limits && { limits }),
        ...(localAddress !== undefined && { localAddress }),
        ...(certificate && { certificate }),
      }
      host = await openHost({ secret, listen, clock, log, ...more })
      const shared = { rosters, signer, host, clock, random, log, records }
      const holdings = createHoldings({ ...shared, core, keeper })
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
        otherReplicas: holdings.otherReplicas,
      })
      const watch = clockWatch(host, () => membership.peers.others(signer.key), clock)
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
      // One after the other; `stop` waits for the last, or it would write in a directory that another node has by then.
      let settling: Promise<void> = Promise.resolve()
      rosters.onAdd(({ roster }) => {
        if (!isCoreOf(roster, core)) log.warn('core.outdated', { height: roster.height })
        settling = settling
          .then(() => holdings.settle())
          .then(
            () => pulse.joined(),
            () => log.error('salt.settle-failed'),
          )
      })
      const handedOver = (taker: { key: Uint8Array }, shard: number, firstEpoch: number): void => {
        log.info('seed.handed-over', { shard, firstEpoch })
        membership.say(signHandover(signer, { taker: taker.key, shard, firstEpoch, time: clock.now() }))
      }
      await host.serve(SEEDS_PROTOCOL, seedService({ holdings, keeper, handedOver }))
      const service = saltService({ core, clock, signer, rosters, holdings, keeper, quota, watch })
      await host.serve(SALT_PROTOCOL, admitted(service))
      stats = host.stats
      const settled = (): Promise<void> => settling
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
    const held = parts?.holdings
      .all()
      .some(({ all, firstEpoch }) => all.length > 0 && parts?.holdings.certified(firstEpoch) !== undefined)
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
      // Asked to stop while it starts, it must not leave a port open behind.
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
        shards: parts === undefined ? [] : shardsOf(parts.holdings),
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

/** Those of certified rosters; a vacant one nobody holds. */
function shardsOf(holdings: Holdings): SaltNodeStatus['shards'] {
  return holdings.all().flatMap(({ firstEpoch, all }) => {
    const roster = holdings.certified(firstEpoch)?.roster
    if (roster === undefined) return []
    return all
      .filter(({ shard }) => !isVacant(roster, shard))
      .map(({ shard, tree }) => ({ firstEpoch, shard, held: tree !== undefined }))
  })
}

interface Parts {
  host: Host
  keeper: SeedKeeper
  quota: QuotaTable
  membership: Membership
  pulse: Heartbeat
  holdings: Holdings
  watch: ClockWatch
  /** Resolves when what the last roster changes is done. */
  settled(): Promise<void>
}

/** Where the newest roster, or before the founding the manifest, says that this peer is. */
function ownAddresses(manifest: Manifest, newest: Roster | undefined, key: Uint8Array): readonly string[] {
  const roster = newest ?? manifestToRoster(manifest)
  const peers = [...roster.members, ...roster.newcomers, ...roster.admitted]
  return peers.find((peer) => equalBytes(peer.key, key))?.addresses ?? []
}
