/**
 * A volunteer's salt node: keeps seeds, answers for salts, and knows nothing about anyone. PROTOCOL.md §5.
 * Refuses to start with a core that the manifest does not pin (CORE_MISMATCH), with demo keys off the loopback
 * (ADDRESS_NOT_LOOPBACK), as a stranger (MANIFEST_INVALID), or in a directory in use (STORE_LOCKED).
 */
import { join } from 'node:path'
import type { Clock, Core } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  FederationError,
  hashToRosterName,
  keyToPeerId,
  type Manifest,
  manifestToRoster,
  SALT_PROTOCOL,
  SEEDS_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Log } from '../log.ts'
import { clockWatch } from '../membership/clock-watch.ts'
import { assertPeer, assertSameFederation, createMembership, type Membership } from '../membership/membership.ts'
import { nativeSigner } from '../membership/native-signer.ts'
import { manifestToPeers } from '../membership/peers.ts'
import { fileRecords, type OpenRecords } from '../membership/records.ts'
import { openRosterBook } from '../membership/roster-book.ts'
import { createHost, type OpenHost } from '../net/host.ts'
import type { HostLimits } from '../net/limits.ts'
import type { Handler, Host } from '../net/protocol.ts'
import type { Random } from '../random.ts'
import { type Heartbeat, heartbeat } from './heartbeat.ts'
import { levelQuotaDisk, type QuotaDisk } from './quota-disk.ts'
import { openQuotaTable, type QuotaTable } from './quota-table.ts'
import { seedKeeper } from './seed-keeper.ts'
import { seedRounds } from './seed-rounds.ts'
import { seedService } from './seed-service.ts'
import { saltService } from './service.ts'
import { createShards } from './shards.ts'
import { assertCore, assertDemoIsLocal, assertMember } from './start-checks.ts'

export interface SaltNodeInit {
  manifest: Manifest
  /** 32-byte Ed25519 secret of its peer id. */
  secret: Uint8Array
  /** Of its operator, if the operator votes with this node. */
  operatorSecret?: Uint8Array
  /** A directory of its own. */
  dir: string
  /** Where to listen; otherwise the addresses that the manifest gives it. */
  listen?: readonly string[]
  clock: Clock
  random: Random
  log: Log
  core: Core
  localAddress?: string
  limits?: Partial<HostLimits>
  /** The network; libp2p unless given. */
  openHost?: OpenHost
  /** The disk below `dir`; files and LevelDB unless given. */
  openRecords?: OpenRecords
  openQuotaDisk?: (dir: string) => Promise<QuotaDisk>
}

export type SaltNodeState = 'joining' | 'serving' | 'leaving' | 'stopped'

/** Health for people and pages: counts only. */
export interface SaltNodeStatus {
  state: SaltNodeState
  peerId: string
  roster: { height: number; name: string } | undefined
  shards: { shard: number; held: boolean }[]
  /** Against the median of its peers. */
  clockOffsetMs: number
  /** Salt requests since the start. */
  answered: number
  /** Salt requests since the start that were turned away, by error code. */
  refused: Record<string, number>
  /** Requesters remembered for their quota. */
  requesters: number
}

export interface SaltNode {
  readonly key: Uint8Array
  /** Resolves when it listens and its first founding round is over; `status` says whether it serves. */
  start(): Promise<void>
  stop(): Promise<void>
  status(): SaltNodeStatus
  /** Multiaddrs that it listens on, without the peer id; none before `start`. */
  addresses(): string[]
}

export function saltNode(init: SaltNodeInit): SaltNode {
  const { manifest, secret, operatorSecret, dir, clock, random, log, core } = init
  const { openHost = createHost, openRecords = fileRecords, openQuotaDisk = levelQuotaDisk } = init
  const signer = nativeSigner(secret)
  const peers = manifestToPeers(manifest)
  const keeper = seedKeeper(core)
  const counts = { answered: 0, refused: {} as Record<string, number> }
  let state: SaltNodeState = 'stopped'
  let parts: Parts | undefined

  async function open(): Promise<Parts> {
    const self = assertPeer(manifest, peers, signer.key)
    const listen = init.listen ?? self.addresses
    assertMember(self)
    assertCore(manifest, core)
    assertDemoIsLocal(manifest, listen)
    // LevelDB makes its files as the process's mask says.
    process.umask(0o077)
    const records = await openRecords(join(dir, 'records'))
    await assertSameFederation(manifest, records)
    const quota = await openQuotaTable(await openQuotaDisk(join(dir, 'quota')), manifest.parameters.quota, clock.now())
    let host: Host | undefined
    try {
      const book = await openRosterBook(manifest, records)
      const certified = (): CertifiedRoster | undefined => book.at(0)
      const { limits, localAddress } = init
      const more = { ...(limits && { limits }), ...(localAddress !== undefined && { localAddress }) }
      host = await openHost({ secret, listen, clock, log, ...more })
      const shards = createShards({
        roster: manifestToRoster(manifest),
        signer,
        core,
        random,
        records,
        keeper,
        certified,
      })
      const rounds = seedRounds({ shards, keeper, host, core, clock, log, certified })
      const watch = clockWatch(host, peers.others(signer.key), clock)
      const votes = operatorSecret === undefined ? {} : { operatorSecret }
      const membership = await createMembership({ manifest, host, records, book, clock, log, sheets: rounds, ...votes })
      const pulse = heartbeat({
        clock,
        watch,
        advance: (nowMs) => certified() !== undefined && keeper.advance(nowMs),
        nextMs: () => (certified() === undefined ? undefined : keeper.nextMs()),
        sweep: (nowMs) => quota.sweep(nowMs),
        async seek() {
          if (rounds.missing().length > 0) await rounds.acquire()
          return rounds.missing().length > 0
        },
        failed: (what) => log.error('salt.heartbeat-failed', { what }),
      })
      book.onAdd(() => {
        shards.settle().then(
          () => begin(pulse),
          () => log.error('salt.settle-failed'),
        )
      })
      await host.serve(SEEDS_PROTOCOL, seedService({ shards, keeper }))
      await host.serve(SALT_PROTOCOL, counted(saltService({ core, clock, signer, book, shards, keeper, quota, watch })))
      return { host, quota, membership, pulse, shards: () => shards.all, offsetMs: () => watch.offsetMs }
    } catch (error) {
      await host?.stop()
      await quota.close()
      throw error
    }
  }

  /** A certified roster is known. */
  function begin(pulse: Heartbeat): void {
    if (state !== 'joining') return
    state = 'serving'
    keeper.advance(clock.now())
    pulse.joined()
  }

  function counted(handler: Handler): Handler {
    return async (request, from) => {
      try {
        const answer = await handler(request, from)
        counts.answered++
        return answer
      } catch (error) {
        const code = error instanceof FederationError ? error.code : 'INTERNAL'
        counts.refused[code] = (counts.refused[code] ?? 0) + 1
        throw error
      }
    }
  }

  return {
    key: signer.key,
    async start() {
      if (state !== 'stopped') throw new TypeError('the node was started already')
      state = 'joining'
      try {
        parts = await open()
        parts.pulse.start()
        if (parts.membership.book.at(0) !== undefined) begin(parts.pulse)
        await parts.membership.start()
      } catch (error) {
        await this.stop()
        throw error
      }
    },
    async stop() {
      state = 'leaving'
      const leaving = parts
      parts = undefined
      leaving?.pulse.stop()
      leaving?.membership.stop()
      await leaving?.host.stop()
      keeper.wipe()
      await leaving?.quota.close()
      state = 'stopped'
    },
    status() {
      const certified = parts?.membership.book.newest()
      return {
        state,
        peerId: keyToPeerId(signer.key),
        roster: certified && { height: certified.roster.height, name: bytesToHex(hashToRosterName(certified.hash)) },
        shards: (parts?.shards() ?? []).map(({ shard, tree }) => ({ shard, held: tree !== undefined })),
        clockOffsetMs: parts?.offsetMs() ?? 0,
        answered: counts.answered,
        refused: { ...counts.refused },
        requesters: parts?.quota.size ?? 0,
      }
    },
    addresses: () => parts?.host.addresses() ?? [],
  }
}

interface Parts {
  host: Host
  quota: QuotaTable
  membership: Membership
  pulse: Heartbeat
  shards(): readonly { shard: number; tree: unknown }[]
  offsetMs(): number
}
