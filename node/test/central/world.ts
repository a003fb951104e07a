/** A central peer without a network, on a simulated clock, with devices that use its protocol. */

import { createHash } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'
import { type Clock, type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { certifyRoster } from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  compareHashes,
  DAY_MS,
  DEMO_PHRASE,
  decodeSyncReply,
  demoSecret,
  encodeSyncRequest,
  equalBytes,
  HOUR_MS,
  hashToRosterName,
  type Manifest,
  type Mark,
  MINUTE_MS,
  manifestToId,
  manifestToRoster,
  type Pin,
  PLAIN_SALTING,
  parseReportCode,
  peerIdToKey,
  type Roster,
  type Row,
  type RowGroup,
  type Signer,
  type SyncKind,
  type SyncReply,
  type SyncSlip,
  secretToSigner,
  stampMinute,
  timeToEpoch,
  type WITHDRAW_REASONS,
} from '@geotrace/core-wasm/wire'
import { type CodeRegistry, codeRegistry } from '../../src/central/codes/codes.ts'
import { type CentralConfig, toCentralConfig } from '../../src/central/config.ts'
import { type Retention, retention, retentionToEpoch } from '../../src/central/retention.ts'
import { type RiskEngine, riskEngine } from '../../src/central/risk/risk-engine.ts'
import type { CentralStore } from '../../src/central/store/central-store.ts'
import { dayToFirstEpoch } from '../../src/central/store/day.ts'
import { memoryStore } from '../../src/central/store/memory-store.ts'
import { hashToKey } from '../../src/central/store/row-set.ts'
import { storeRoom } from '../../src/central/store-room.ts'
import { rosterPins } from '../../src/central/sync/pins.ts'
import { type SyncService, syncService } from '../../src/central/sync/service.ts'
import type { Standing } from '../../src/membership/agreement/standing.ts'
import { newDemoManifest } from '../../src/membership/new-manifest.ts'
import { createSpreadTable } from '../../src/membership/spread-table.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { row } from './store/sample.ts'

export { DAY_MS, HOUR_MS }
export const START = Date.UTC(2026, 10, 20, 12)
export const OPERATORS = ['ash', 'birch', 'cedar', 'elm', 'fir', 'authority'] as const

export function demoManifest(more: Partial<Manifest['parameters']> = {}, port = 4301): Manifest {
  return newDemoManifest({
    name: 'test',
    phrase: DEMO_PHRASE,
    peers: OPERATORS.map((operator, i) => ({ operator, addresses: [`/ip4/127.0.0.1/tcp/${port + i}`] })),
    // Old enough for deposits of every age in the tests.
    at: START - 20 * DAY_MS,
    parameters: { ...PLAIN_SALTING, reserveEpochs: 1_000, ...more },
  })
}

/** Roster 0, certified by the demo's operators, or a variant of it with other fields. */
export function certifiedRoster(manifest: Manifest, more: Partial<Roster> = {}): CertifiedRoster {
  const bare = manifestToRoster(manifest)
  const sheets = Array.from({ length: bare.shards }, (_, i) => new Uint8Array(32).fill(i))
  return certifyRoster({ ...bare, sheets, ...more }, bare.operators, {}, keyToDemoSigner)
}

const SIGNERS: readonly Signer[] = OPERATORS.flatMap((name) => [`operator/${name}`, `peer/${name}`]).map((role) =>
  secretToSigner(demoSecret(DEMO_PHRASE, role)),
)
function keyToDemoSigner(key: Uint8Array): Signer {
  return SIGNERS.find((signer) => equalBytes(signer.key, key))!
}

export interface World {
  readonly clock: SimulatedClock
  readonly manifest: Manifest
  readonly store: CentralStore
  readonly rosters: CertifiedRoster[]
  /** The pins that the central peer published. */
  readonly published: readonly Pin[]
  setStanding(to: Standing): void
  readonly service: SyncService
  readonly risk: RiskEngine
  readonly codes: CodeRegistry
  readonly sweeping: Retention
  device(relay?: Uint8Array): Device
  /** A device of another world, whose store this one has now. */
  take(device: Device): void
  /** The current epoch of the clock. */
  epoch(): number
}
export interface WorldInit {
  store?: CentralStore
  clock?: SimulatedClock
  manifest?: Manifest
  config?: Partial<CentralConfig>
  random?: Random
  rosters?: CertifiedRoster[]
}

/** The parts of `centralPeer` without host and membership. */
export async function world(init: WorldInit = {}): Promise<World> {
  const {
    store = memoryStore(),
    clock = simulatedClock(START),
    manifest = demoManifest(),
    random = systemRandom,
  } = init
  const certified = init.rosters ?? [certifiedRoster(manifest)]
  const config = toCentralConfig(init.config ?? {}, manifest)
  const published: Pin[] = []
  const rosters = {
    get newest() {
      return certified.at(-1)
    },
    inForce: (epoch: number) => certified.filter(({ roster }) => roster.firstEpoch <= epoch).at(-1),
  }
  const { retentionDays } = manifest.parameters
  const retentionStart = () => Math.max(retentionToEpoch(clock.now(), retentionDays), dayToFirstEpoch(store.floor()))
  const risk = riskEngine({ store, config, clock, log: silent, stopwatch: () => 0 })
  const codes = codeRegistry({ store, clock, random, retentionStart, ...config })
  const federation = manifestToId(manifest)
  const signer = keyToDemoSigner(peerIdToKey(manifest.central.peerId))
  let standing: Standing = 'current'
  const publish = (pin: Pin): void => void published.push(pin)
  const pins = await rosterPins({ store, rosters, federation, signer, publish, standing: () => standing })
  const isReady = (): boolean => standing !== 'catching-up'
  const room = storeRoom({ store, space: undefined, ceilingMib: config.storeCeilingMib })
  const shared = { manifest, config, store, room, rosters, clock, random, retentionStart }
  const spreads = createSpreadTable(federation, rosters, clock)
  const service = syncService({ ...shared, pins, isReady, codes, risk, spreads })
  const sweeping = retention({
    store,
    clock,
    retentionDays,
    peersMs: async () => clock.now(),
    rosterMs: () => clock.now(),
    exclusive: risk.exclusive,
    log: silent,
  })
  await risk.start()
  // Marks come with the next scheduled sync, so a test device syncs when all of them are computed.
  const settling: SyncService = {
    ...service,
    answer: async (bytes, relay) => {
      await risk.settled()
      return service.answer(bytes, relay)
    },
  }
  return {
    clock,
    manifest,
    store,
    rosters: certified,
    published,
    setStanding(to) {
      standing = to
    },
    service,
    risk,
    codes,
    sweeping,
    take: (device) => device.moveTo(settling),
    device: (relay) => new Device(manifest, settling, certified, random, clock, relay),
    epoch: () => timeToEpoch(clock.now()),
  }
}

/** The relay of a device, unless a test names another. */
export const RELAY = new Uint8Array(32).fill(1)

export interface DeviceSync {
  /** Rows by epoch. A number or a text stands for a row with the lag current. */
  rows?: Record<number, (Row | number | string)[]>
  code?: string
  /** First epoch and UTC day of the test, beside the code. */
  from?: number
  testDay?: number
  /** Beside the code. */
  slip?: SyncSlip
  withdraw?: (typeof WITHDRAW_REASONS)[number]
  erase?: 'with-warning' | 'all'
  syncId?: Uint8Array
  roster?: Uint8Array
}

/** A device that reads marks as client/src/exposures/marks.ts does. Throws when a mark comes twice. */
export class Device {
  readonly secret: Uint8Array
  readonly held = new Map<string, Mark>()
  readonly #seen = new Set<string>()
  readonly #relay: Uint8Array
  readonly #clock: Pick<Clock, 'now'>
  #read = { generation: 0, cursor: 0 }
  #last: Uint8Array | undefined

  readonly #manifest: Manifest
  #service: Pick<SyncService, 'answer'>
  readonly #rosters: CertifiedRoster[]
  readonly #random: Random
  constructor(
    manifest: Manifest,
    service: Pick<SyncService, 'answer'>,
    rosters: CertifiedRoster[],
    random: Random,
    clock: Pick<Clock, 'now'>,
    relay: Uint8Array = RELAY,
  ) {
    this.#manifest = manifest
    this.#service = service
    this.#rosters = rosters
    this.#random = random
    this.#relay = relay
    this.#clock = clock
    this.secret = random(32)
  }

  moveTo(service: Pick<SyncService, 'answer'>): void {
    this.#service = service
  }

  frame(sync: DeviceSync = {}): Uint8Array {
    const { rows = {}, syncId = this.#random(16), roster } = sync
    const groups: RowGroup[] = Object.entries(rows).map(([epoch, items]) => ({
      epoch: Number(epoch),
      roster: roster ?? hashToRosterName(this.#rosters[0]!.hash),
      rows: items
        .map((item) => (typeof item === 'object' ? item : row(item)))
        .sort((a, b) => compareHashes(a.hash, b.hash)),
    }))
    const { syncRequestBytes } = this.#manifest.parameters
    const request = {
      minute: this.#minute(),
      userSecret: this.secret,
      syncId,
      report: toKind(sync),
      ...this.#read,
      groups,
    }
    return encodeSyncRequest(request, syncRequestBytes)
  }

  async sync(sync: DeviceSync = {}): Promise<SyncReply> {
    this.#last = this.frame(sync)
    return this.#take(await this.#service.answer(this.#last, this.#relay))
  }
  /** Syncs, and syncs once more without deposits for the marks that follow from the first sync. */
  async syncTwice(sync: DeviceSync): Promise<SyncReply> {
    await this.sync(sync)
    return await this.sync()
  }
  /** Sends the last request again, with the same bytes but for the minute. */
  async again(): Promise<SyncReply> {
    return decodeSyncReply(await this.#service.answer(stampMinute(this.#last!, this.#minute()), this.#relay))
  }
  /** Syncs without deposits until no mark is left. Resolves with the number of syncs. */
  async readAll(): Promise<number> {
    for (let n = 1; ; n++) if ((await this.sync()).left === 0) return n
  }
  get read(): { generation: number; cursor: number } {
    return this.#read
  }
  set read(to: { generation: number; cursor: number }) {
    this.#read = to
  }

  #minute(): number {
    return Math.floor(this.#clock.now() / MINUTE_MS)
  }

  #take(bytes: Uint8Array): SyncReply {
    const reply = decodeSyncReply(bytes)
    if (bytes.length !== this.#manifest.parameters.syncReplyBytes) throw new Error(`a reply of ${bytes.length} bytes`)
    if (reply.generation !== this.#read.generation) {
      this.held.clear()
      this.#seen.clear()
    }
    for (const mark of reply.marks) {
      const key = `${mark.epoch}/${hashToKey(mark.hash)}`
      const text = `${key} ${mark.degree} ${mark.weight} ${mark.lag}`
      if (this.#seen.has(text)) throw new Error('a mark came twice')
      this.#seen.add(text)
      this.held.set(key, mark)
    }
    this.#read = { generation: reply.generation, cursor: reply.cursor }
    return reply
  }
}

/** The store's id of a device's user. */
export function idOf(device: Device): Uint8Array {
  return new Uint8Array(createHash('sha256').update(device.secret).digest())
}

function toKind({ code, from = 0, testDay = 0, slip, withdraw, erase }: DeviceSync): SyncKind {
  if (code !== undefined) return { kind: 'code', code: parseReportCode(code), from, testDay, ...(slip && { slip }) }
  if (withdraw !== undefined) return { kind: 'withdraw', reason: withdraw }
  return erase === undefined ? { kind: 'none' } : { kind: 'erase', keepWarning: erase === 'with-warning' }
}
