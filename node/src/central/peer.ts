/**
 * The central peer of the authority, assembled from its parts. PROTOCOL.md §8; node/CENTRAL.md is for operators.
 * The central peer stores deposits, issues report codes and computes marks. It votes in the federation and holds no
 * shard. Throws COMMAND_INVALID, MANIFEST_INVALID, NODE_NOT_RUNNING and the errors of store and codes.
 */
import { join } from 'node:path'
import type { Clock, Random } from '@geotrace/core-wasm'
import type { TokenKind } from '@geotrace/core-wasm/tokens'
import {
  bytesToHex,
  DAY_MS,
  DEPOSIT_WINDOW_MS,
  EPOCH_MS,
  FederationError,
  isAppOrigin,
  keyToPeerId,
  type Manifest,
  manifestToId,
  manifestToRoster,
  marksPerReply,
  type Pin,
  RELAY_TOKENS_PER_DAY,
  type Roster,
  SEALED_PROTOCOL,
  SYNC_GROUPS_MAX,
  type TokenParameters,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Standing } from '../membership/agreement/standing.ts'
import { type ClockWatch, clockWatch, strayedOperators } from '../membership/clock-watch.ts'
import { demoIssuerNumbers } from '../membership/demo-issuer.ts'
import { assertSameFederation, createMembership, isFoundedWith, type Membership } from '../membership/membership.ts'
import { demoSealSecret } from '../membership/new-manifest.ts'
import type { Pace } from '../membership/pace.ts'
import { createHost, type OpenHost } from '../net/host.ts'
import type { Host } from '../net/protocol.ts'
import type { CertificateSource } from '../net/transport/tls-certificate.ts'
import { type DiskSpace, type DiskSpaceInit, diskSpace } from '../platform/disk-space.ts'
import { fileRecords, type OpenRecords, type Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { closing } from './closing.ts'
import type { CodeBatch, CodeCounts, Worker } from './codes/batches.ts'
import { type CodeRegistry, type CodeStatus, codeRegistry, type IssuedCodes } from './codes/codes.ts'
import type { CodeOrder } from './codes/order.ts'
import { type CentralConfig, toCentralConfig } from './config.ts'
import { type EnrolmentCodes, type Enrolments, enrolments } from './enrolment/enrolments.ts'
import { type IssuanceCounters, type IssuanceService, issuanceService } from './enrolment/issuance-service.ts'
import { ISSUER_DIR, type IssuerKeys, openIssuerKeys } from './enrolment/issuer-keys.ts'
import { type CentralHealth, centralHealth, type PeerHealth, type PeerState } from './health.ts'
import { ALONE, type Duty, type DutyRoster, dutyRoster } from './lease/duty.ts'
import { type FollowerRounds, followerRounds, type LeaderRounds, leaderRounds } from './lease/sharing.ts'
import { adoptRecords, storeRecords } from './lease/store-records.ts'
import { type Retention, retention, retentionToEpoch } from './retention.ts'
import type { ReviewDecision } from './review/report-review.ts'
import type { RiskSummary } from './risk/dry-run.ts'
import type { QuarantinedReport } from './risk/report-register.ts'
import type { HeldReport, ReportFacts } from './risk/report-stages.ts'
import { type RiskEngine, riskEngine } from './risk/risk-engine.ts'
import type { RiskProfile } from './risk/risk-profile.ts'
import type { Rounds } from './rounds.ts'
import { scrubbing } from './scrubbing.ts'
import { type Resealing, resealing } from './sealed/resealing.ts'
import { openSealKeys, SEAL_KEYS_DIR, type SealKeyStore } from './sealed/seal-keys.ts'
import { type SealedCounters, type SealedService, sealedService } from './sealed/sealed-service.ts'
import { spreadRun } from './spread/spread-run.ts'
import type { CentralStore, DayStatistics, ReportId } from './store/central-store.ts'
import { dayToFirstEpoch } from './store/day.ts'
import { levelStore } from './store/level/level-store.ts'
import { databaseKeyPath, isOneDisk } from './store/store-keys.ts'
import { type StoreRoom, storeRoom } from './store-room.ts'
import { type RosterPins, rosterPins } from './sync/pins.ts'
import { type SyncCounters, type SyncService, syncService } from './sync/service.ts'

const MIB = 1 << 20
const HOLDER_BYTES = 8

export interface CentralPeerInit {
  manifest: Manifest
  /** 32-byte secret of the peer id that the manifest names as `central`. */
  secret: Uint8Array
  /** 32-byte secret of the authority's operator key, for its vote. */
  operatorSecret?: Uint8Array
  /** The first seal secret, for a directory without one; a demo derives it, `geotrace central init` draws it. */
  sealSecret?: Uint8Array
  /** The peer's directory for rosters and votes, and for the store unless `store` is given. */
  dir: string
  /** The file of the store's keys; default: `store.keys` in `dir`, `database.keys` with `servers`. */
  keyPath?: string
  /** Addresses of the PostgreSQL servers that have the store; default: the store is in `dir`. */
  servers?: readonly string[]
  /** The folder of the seal keys and of the issuer's, which all processes of one store share; default: `dir`. */
  secretDir?: string
  /** An open store, which the caller closes. */
  store?: CentralStore
  /**
   * Default: the store is founded the first time. `restored`: the directory came from a backup of the keys, so a missing
   * store is lost. `anew`: begins with an empty store, because the old one is lost; refused while there is a store.
   */
  founding?: 'restored' | 'anew'
  clock: Clock
  /** Waits for the ends of reply slots; default: `clock`. A clock that stands still during a request needs another one. */
  replyTimer?: Pick<Clock, 'setTimer'>
  random: Random
  log: Log
  /** Multiaddrs to listen on; default: those of the manifest. */
  listen?: readonly string[]
  localAddress?: string
  /** TLS certificate for addresses that end in `/tls/ws`. */
  certificate?: CertificateSource
  config?: Partial<CentralConfig>
  /** Opens the network host; default: libp2p. */
  openHost?: OpenHost
  /** Opens the records in `dir`; default: files. */
  openRecords?: OpenRecords
  /** Other bounds of the disk's free space, and another way to ask for it. */
  disk?: Partial<Pick<DiskSpaceInit, 'freeBytes' | 'reserveBytes' | 'ballastBytes'>>
  /** Intervals of link probes and heartbeats; default: REAL_PACE. */
  pace?: Pace
}
interface CentralStatus extends Readonly<SyncCounters & SealedCounters & IssuanceCounters> {
  readonly state: PeerState
  readonly federation: string
  readonly peerId: string | undefined
  readonly addresses: readonly string[]
  readonly roster: number | undefined
  /** Whether this peer knows the rosters that the others know; it pins epochs only when it is `current`. */
  readonly standing: Standing | undefined
  /** Syncs that are being answered. */
  readonly inFlight: number
  /**
   * Whether this process has the lease of the store and leads; undefined for the only process of its store.
   * node/CENTRAL.md "Several processes".
   */
  readonly leads: boolean | undefined
  /** False while devices seal to a key that this peer lost; the next roster names another one. */
  readonly opensSeals: boolean
  /** The kinds of evidence that peers have proven. */
  readonly evidence: readonly string[]
  /** Peers that answered the last check, and operators whose peers run with the manifest of another federation. */
  readonly reach: { readonly asked: number; readonly answered: number; readonly strayed: readonly string[] } | undefined
  /** The name of the risk profile, and its signed version; 0 for one that comes with Geo Trace. */
  readonly profile: { readonly name: string; readonly version: number }
  /** Days for which deposits are kept. */
  readonly retentionDays: number
  readonly activeReports: number
  /** Risk hashes of active reports in memory. */
  readonly sourceHashes: number
  /** Wall-clock milliseconds spent on the risk rule since the start. */
  readonly riskMs: number
  readonly riskFailures: number
  /** Reports whose marks wait for a computation. */
  readonly riskWaiting: number
  /** Reports of which some degrees are not computed, with the bound that they exceed. */
  readonly quarantined: readonly QuarantinedReport[]
  /** Reports that wait for the authority. */
  readonly held: readonly HeldReport[]
}
interface CentralStatistics {
  readonly users: number
  /** Keys and values of the whole store. */
  readonly storeMib: number
  readonly days: readonly DayStatistics[]
  readonly codes: CodeCounts
}
interface CentralCondition {
  readonly health: PeerHealth
  /** Reports of which some degrees are not computed. */
  readonly quarantined: number
  /** Reports that the circuit breaker stopped. */
  readonly stopped: number
  /** Free space on the disk of the store; undefined for a store of the caller. */
  readonly freeMib: number | undefined
  /** Where the keys of the store are; undefined for a store that is not in the directory. */
  readonly storeKeys?: string
}
/** A report as the authority sees it, without users and hashes. Times are Unix ms. */
export interface ReportOutcome extends ReportFacts {
  readonly id: ReportId
  readonly at: number
  readonly from: number
  readonly until: number
  /** Start of the UTC day of the test, as the device said it. */
  readonly testedAt?: number
  /** The batch of the code. */
  readonly batch?: string
  /** Why the authority rejected or retracted it. */
  readonly reason?: string
  /** Users with marks of this report. */
  readonly marked: number
}
/** A trial computation of a report with other degrees, another latency or another risk profile. */
interface DryRun extends Partial<Pick<CentralConfig, 'degrees' | 'latencyEpochs' | 'profile'>> {
  report: ReportId
}

export interface CentralPeer {
  /**
   * Resolves when the peer answers requests; it accepts deposits as soon as a roster is certified. Throws STORE_LOCKED,
   * STORE_MISSING, STORAGE_CORRUPT, MANIFEST_INVALID, COMMAND_INVALID.
   */
  start(): Promise<void>
  /** Answers new syncs with BUSY, ends those under way, then closes the store. */
  stop(): Promise<void>
  status(): CentralStatus
  /** The risk profile of this process. */
  readonly profile: RiskProfile
  /** Looks at store and disk. */
  condition(): Promise<CentralCondition>
  /** The peer's membership in the federation; undefined while the peer is stopped. */
  membership(): Membership | undefined
  /** Compares clock and federation with the peers now, which also updates `reach`. */
  lookAround(): Promise<void>
  statistics(): Promise<CentralStatistics>
  /** Values that all processes of the store share. Throws NODE_NOT_RUNNING. */
  shared(): Pick<CentralStore, 'record' | 'changeRecord'>
  /** Copies the store to an empty directory. Throws COMMAND_INVALID, STORAGE_FULL, BUSY. */
  backUp(to: string): Promise<void>
  /** Throws COMMAND_INVALID, QUOTA_SPENT. */
  issueCodes(order: Partial<CodeOrder>, worker?: Worker): Promise<IssuedCodes>
  /** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
  revokeCode(code: string): Promise<void>
  /** Throws CODE_UNKNOWN. */
  codeStatus(code: string): Promise<CodeStatus>
  /** The newest batches of codes, only those of one worker with `worker`. */
  codeBatches(worker?: string): Promise<CodeBatch[]>
  /** Revokes the open codes of a batch, and returns their number. Throws CODE_UNKNOWN. */
  revokeBatch(batch: string, worker?: string): Promise<number>
  /** New codes that enrol devices for tokens, shown once. Throws COMMAND_INVALID. */
  issueEnrolmentCodes(order: { count?: unknown; days?: unknown }): Promise<EnrolmentCodes>
  /** The code enrols nobody any more, and the device that it enrolled gets no more tokens. Throws CODE_UNKNOWN. */
  revokeEnrolmentCode(code: string): Promise<'code' | 'device'>
  /** The same for all codes of an order and the devices that they enrolled. Throws CODE_UNKNOWN. */
  revokeEnrolmentBatch(batch: string): Promise<void>
  /** Draws a key of the issuer for each kind of token. Their moduli in hex, for the operators to put into a roster. */
  drawIssuerKeys(): Promise<readonly string[]>
  reports(): Promise<ReportOutcome[]>
  /**
   * Publishes, rejects, retracts or restores a report. The reason of a rejection or a retraction stays with the report.
   * Throws REPORT_UNKNOWN, COMMAND_INVALID.
   */
  review(report: ReportId, decision: ReviewDecision, reason?: string): Promise<void>
  /** Computes at once all marks that wait for their computation. Resolves when the store has them. */
  settled(): Promise<void>
  /** Counts the marks that a report would give, and changes nothing. Throws COMMAND_INVALID, REPORT_UNKNOWN. */
  dryRun(dryRun: DryRun): Promise<RiskSummary>
}

/** The issuer of tokens. */
interface Issuer {
  readonly keys: IssuerKeys
  readonly enrolments: Enrolments
  readonly counters: Readonly<IssuanceCounters>
}
interface Parts extends Omit<Opened, 'ownRecords'> {
  host: Host
  store: CentralStore
  membership: Membership
  /** Whether the process knows the rosters that the others know; a follower asks the leader. */
  standing(): Standing
  watch: ClockWatch
  pins: RosterPins
  codes: CodeRegistry
  risk: RiskEngine
  service: SyncService
  sealed: SealedService
  issuer: Issuer
  seals: Resealing
  sweeping: Retention
  closing: Rounds
  scrubbing: Rounds
  counting: Rounds
  health: CentralHealth
  duty: Duty
  /** The rounds of a process beside others; undefined for the only one. */
  sharing: LeaderRounds | FollowerRounds | undefined
}
/** The parts that outlive a change of duty. */
interface Opened {
  store: CentralStore
  space: DiskSpace | undefined
  storeKeys: string | undefined
  ownRecords: Records
}

/** Throws COMMAND_INVALID for a bad setting and MANIFEST_INVALID for a manifest whose replies are too small. */
export function centralPeer(init: CentralPeerInit): CentralPeer {
  const { manifest, log } = init
  const config = toCentralConfig(init.config ?? {}, manifest)
  assertReplySize(manifest)
  const life = peerLife(init, config)
  const { running } = life

  const peer: CentralPeer = {
    profile: config.profile,
    start: life.start,
    stop: life.stop,
    status: () => toStatus(manifest, config, life.state, life.parts),
    condition: () => toCondition(peer.status().state, life.parts),
    // A follower knows the rosters, and its messages would reach nobody.
    membership: () => (life.parts?.duty.leads ? life.parts.membership : undefined),
    // Two processes with one identity must not dial the same peers.
    lookAround: async () => void (life.parts?.duty.leads && (await life.parts.watch.check())),
    statistics: async () => toStatistics(running()),
    backUp: async (to) => running().store.backUp(to),
    shared: () => running().store,
    ...codeActions(running, log),
    ...issuerActions(running, log),
    reports: async () => toOutcomes(running()),
    async review(report, decision, reason) {
      await running().risk.review(report, decision, reason)
      log.info('central.report-reviewed', { report, decision })
    },
    async settled() {
      const { sharing, risk } = running()
      if (sharing !== undefined && 'look' in sharing) await sharing.look()
      await risk.settled()
    },
    dryRun: ({ report, ...change }) => running().risk.dryRun(report, toProfile(change, config, manifest)),
  }
  return peer
}

interface PeerLife extends Pick<CentralPeer, 'start' | 'stop'> {
  readonly state: PeerState
  readonly parts: Parts | undefined
  /** Throws NODE_NOT_RUNNING. */
  running(): Parts
}

/** Opens the store, and takes up one duty after the other until the stop. */
function peerLife(init: CentralPeerInit, config: CentralConfig): PeerLife {
  const { clock, log, random } = init
  let state: PeerState = 'stopped'
  let parts: Parts | undefined
  let opened: Opened | undefined
  let duties: DutyRoster | undefined
  const end = async (): Promise<void> => {
    if (parts !== undefined) await disassemble(parts)
    parts = undefined
  }
  /** Ends the duty before, if there is one, and takes up another one. */
  const take = async (duty: Duty): Promise<void> => {
    state = 'leaving'
    await end()
    state = 'joining'
    parts = await assemble(init, config, opened!, duty, () => state === 'leaving')
    await (duty.leads ? lead(parts, clock, log) : follow(parts, log))
  }
  const stop = async (): Promise<void> => {
    state = 'leaving'
    // The lease goes back last, when nothing of this process writes any more.
    await (duties === undefined ? end() : duties.stop(end))
    if (init.store === undefined) await opened?.store.close()
    opened = undefined
    duties = undefined
    state = 'stopped'
  }
  return {
    get state() {
      return state
    },
    get parts() {
      return parts
    },
    running() {
      if (parts !== undefined) return parts
      const text = 'the central peer is not running; run geotrace central run'
      throw new FederationError('NODE_NOT_RUNNING', text, { dir: init.dir })
    },
    async start() {
      if (state !== 'stopped') throw new TypeError('the central peer was started already')
      state = 'joining'
      try {
        opened = await openAll(init)
        const { store } = opened
        const holder = bytesToHex(random(HOLDER_BYTES))
        if (store.capabilities.writers === 'many') duties = dutyRoster({ store, holder, clock, log, take })
        await (duties === undefined ? take(ALONE) : duties.start())
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
  }
}

function codeActions(
  running: () => Parts,
  log: Log,
): Pick<CentralPeer, 'issueCodes' | 'revokeCode' | 'codeStatus' | 'codeBatches' | 'revokeBatch'> {
  return {
    async issueCodes(order, worker) {
      const issued = await running().codes.issue(order, worker)
      log.info('central.codes-issued', { count: issued.codes.length })
      return issued
    },
    async revokeCode(code) {
      await running().codes.revoke(code)
      log.info('central.code-revoked')
    },
    codeStatus: async (code) => running().codes.status(code),
    codeBatches: async (worker) => running().codes.batches.list(worker),
    async revokeBatch(batch, worker) {
      const revoked = await running().codes.batches.revoke(batch, worker)
      log.info('central.batch-revoked', { codes: revoked })
      return revoked
    },
  }
}

function issuerActions(
  running: () => Parts,
  log: Log,
): Pick<CentralPeer, 'issueEnrolmentCodes' | 'revokeEnrolmentCode' | 'revokeEnrolmentBatch' | 'drawIssuerKeys'> {
  return {
    async issueEnrolmentCodes(order) {
      const issued = await running().issuer.enrolments.issue(order)
      log.info('central.enrolment-codes-issued', { count: issued.codes.length })
      return issued
    },
    async revokeEnrolmentCode(code) {
      const what = await running().issuer.enrolments.revoke(code)
      log.info(what === 'device' ? 'central.device-withdrawn' : 'central.enrolment-code-revoked')
      return what
    },
    async revokeEnrolmentBatch(batch) {
      await running().issuer.enrolments.revokeBatch(batch)
      log.info('central.enrolment-batch-revoked')
    },
    async drawIssuerKeys() {
      const moduli = await running().issuer.keys.add()
      log.info('central.issuer-keys-drawn')
      return moduli
    },
  }
}

function toStatus(
  manifest: Manifest,
  config: CentralConfig,
  state: CentralStatus['state'],
  parts: Parts | undefined,
): CentralStatus {
  const roster = parts?.membership.rosters.newest?.roster.height
  const risk = parts?.risk.status
  const standing = parts?.standing()
  const served = standing === 'catching-up' ? standing : 'serving'
  return {
    state: state === 'joining' && roster !== undefined ? served : state,
    federation: manifest.name,
    peerId: parts === undefined ? undefined : keyToPeerId(parts.host.key),
    addresses: parts?.host.addresses() ?? [],
    roster,
    standing,
    evidence: parts?.membership.status().evidence ?? [],
    reach: parts && toReach(parts),
    inFlight: parts?.service.inFlight ?? 0,
    leads: parts?.sharing === undefined ? undefined : parts.duty.leads,
    opensSeals: parts?.seals.isOpen() ?? true,
    ...(parts?.service.counters ?? { syncs: 0, duplicates: 0, groupsRefused: 0, reports: 0, erasures: 0 }),
    ...(parts?.sealed.counters ?? { sealUnknown: 0, sealedRefusals: 0 }),
    ...(parts?.issuer.counters ?? { enrolments: 0, tokens: 0 }),
    retentionDays: manifest.parameters.retentionDays,
    profile: { name: config.profile.name, version: config.profileVersion },
    activeReports: risk?.reports ?? 0,
    sourceHashes: risk?.hashes ?? 0,
    riskMs: Math.round(risk?.riskMs ?? 0),
    riskFailures: risk?.failures ?? 0,
    riskWaiting: risk?.waiting ?? 0,
    quarantined: risk?.quarantined ?? [],
    held: risk?.held ?? [],
  }
}

async function toStatistics({ store, codes }: Parts): Promise<CentralStatistics> {
  const { bytes, ...counts } = await store.statistics()
  return { ...counts, storeMib: Math.ceil(bytes / MIB), codes: await codes.counts() }
}

async function toCondition(state: PeerState, parts: Parts | undefined): Promise<CentralCondition> {
  if (parts === undefined) return { health: state, quarantined: 0, stopped: 0, freeMib: undefined }
  const { health, risk, space, storeKeys } = parts
  const { status } = risk
  const quarantined = status.quarantined.length
  const stopped = status.held.filter(({ people }) => people !== undefined).length
  const freeMib = space && Math.floor(space.freeBytes / MIB)
  const counts = { quarantined, stopped, freeMib }
  return { health: await health.look(state), ...counts, ...(storeKeys !== undefined && { storeKeys }) }
}

function toReach({ watch: { reach }, membership }: Parts): CentralStatus['reach'] {
  if (reach === undefined) return undefined
  const strayed = strayedOperators(reach, membership.status().peers)
  return { asked: reach.asked, answered: reach.answered, strayed }
}

async function toOutcomes({ store, risk }: Parts): Promise<ReportOutcome[]> {
  const records = await store.reports()
  return Promise.all(
    records.map(async (report) => ({
      id: report.id,
      at: report.at,
      from: report.from * EPOCH_MS,
      until: (report.until + 1) * EPOCH_MS,
      ...(report.testDay !== undefined && { testedAt: report.testDay * DAY_MS }),
      ...(report.batch !== undefined && { batch: report.batch }),
      ...(report.reason !== undefined && { reason: report.reason }),
      ...risk.factsOf(report),
      marked: (await store.markedUsers(report.id)).length,
    })),
  )
}

/** Opens what outlives a change of duty. */
async function openAll(init: CentralPeerInit): Promise<Opened> {
  const { manifest, dir, clock, random, log, openRecords = fileRecords } = init
  const space = init.store === undefined ? diskSpace({ dir, clock, random, log, ...init.disk }) : undefined
  // On a full disk the store opens only after the ballast made room.
  await space?.look()
  const ownRecords = await openRecords(join(dir, 'records'))
  const store = init.store ?? (await openStore(init, ownRecords))
  try {
    await assertSameFederation(manifest, ownRecords)
    return { space, ownRecords, store, storeKeys: isOnDisk(init) ? await describeKeys(init) : undefined }
  } catch (error) {
    if (init.store === undefined) await store.close()
    throw error
  }
}

/** The records of the membership: files of the only process, otherwise in the store. */
async function recordsOf({ ownRecords, store }: Opened, manifest: Manifest, duty: Duty): Promise<Records> {
  if (duty === ALONE) return ownRecords
  const records = storeRecords(store, duty.lease)
  if (duty.lease !== undefined) await adoptRecords(ownRecords, records)
  await assertSameFederation(manifest, records)
  return records
}

async function openOwnHost(init: CentralPeerInit, newest: () => Roster): Promise<Host> {
  const { openHost = createHost, manifest, secret, listen, clock, log, localAddress, certificate } = init
  return await openHost({
    secret,
    listen: listen ?? manifest.central.addresses,
    clock,
    log,
    ...(localAddress !== undefined && { localAddress }),
    ...(certificate && { certificate }),
    allowsOrigin: (origin) => isAppOrigin(newest(), origin),
  })
}

async function assemble(
  init: CentralPeerInit,
  config: CentralConfig,
  all: Opened,
  duty: Duty,
  isLeaving: () => boolean,
): Promise<Parts> {
  const { manifest, secret, operatorSecret, clock, random, log } = init
  const { retentionDays } = manifest.parameters
  const opened: (() => Promise<unknown>)[] = []
  const { space, storeKeys } = all
  // The writes of a leader carry the fence of its lease.
  const store = duty.lease === undefined ? all.store : { ...all.store, ...all.store.under(duty.lease) }
  try {
    const records = await recordsOf(all, manifest, duty)
    const founding = manifestToRoster(manifest)
    let newest = (): Roster => founding
    const host = await openOwnHost(init, () => newest())
    opened.push(() => host.stop())
    assertCentralKey(host, manifest)
    const membership = await createMembership({
      manifest,
      host,
      signer: nativeSigner(secret),
      records,
      clock,
      random,
      log,
      addresses: () => manifest.central.addresses,
      ...(operatorSecret !== undefined && duty.leads && { operatorSecret }),
      ...(init.pace && { pace: init.pace }),
    })
    const { rosters, peers } = membership
    newest = () => rosters.newest?.roster ?? founding
    const retentionStart = (): number =>
      Math.max(retentionToEpoch(clock.now(), retentionDays), dayToFirstEpoch(store.floor()))
    const risk = riskEngine({ store, config, clock, log, stopwatch, ...dutyToSharing(duty) })
    const codes = codeRegistry({ store, clock, random, retentionStart, ...config })
    const keys = await openKeys(init)
    const { sharing, standing } = toSharing(init, { store, records, membership, risk, keys }, duty)
    const isReady = (): boolean => !isLeaving() && standing() !== 'catching-up'
    const pins = await openPins(init, store, membership, standing, duty)
    const room = storeRoom({ store, space, ceilingMib: config.storeCeilingMib })
    const shared = { manifest, config, store, room, clock, random, retentionStart }
    const { spreads } = membership.pool
    const service = syncService({ ...shared, rosters, pins, isReady, codes, risk, spreads })
    const seals = toResealing(init, membership, keys)
    const { issuer, issuance } = await openIssuer(init, store, () => newest().tokens)
    const timer = init.replyTimer ?? clock
    const sealed = sealedService({ manifest, peers, keys: seals.current, sync: service, issuance, timer, random, log })
    const watch = clockWatch(host, () => peers.others(host.key), clock, random, manifestToId(manifest))
    const upkeep = toUpkeep(init, { host, store, room, membership, watch, risk })
    const own = { duty, sharing, standing, space, storeKeys }
    const services = { service, sealed, issuer, seals }
    return { ...own, host, store, membership, watch, pins, codes, risk, ...services, ...upkeep }
  } catch (error) {
    for (const close of opened.reverse()) await close()
    throw error
  }
}

/** The tasks that the peer does by itself from time to time. */
function toUpkeep(
  { manifest, clock, random, log }: CentralPeerInit,
  parts: Pick<Parts, 'host' | 'store' | 'membership' | 'watch' | 'risk'> & { room: StoreRoom },
): Pick<Parts, 'sweeping' | 'closing' | 'scrubbing' | 'counting' | 'health'> {
  const { host, store, room, membership, watch, risk } = parts
  const { peers, pool, say } = membership
  const peersMs = (): Promise<number | undefined> => peersTime(watch, clock)
  const { exclusive } = risk
  return {
    sweeping: retention({
      store,
      clock,
      retentionDays: manifest.parameters.retentionDays,
      peersMs,
      rosterMs: () => membership.rosters.newest && membership.rosters.newest.roster.firstEpoch * EPOCH_MS,
      exclusive,
      log,
    }),
    closing: closing({ store, clock, exclusive, closed: risk.closed, log }),
    scrubbing: scrubbing(store, clock, log),
    counting: spreadRun({
      ...{ federation: manifestToId(manifest), store, host, peers, table: pool.spreads },
      ...{ clock, random, log, peersMs, say },
    }),
    health: centralHealth({ store, room, log }),
  }
}

function assertCentralKey({ key }: Host, { central }: Manifest): void {
  const own = keyToPeerId(key)
  if (own !== central.peerId)
    refuse('central.peerId', `the manifest expected ${central.peerId}, but this peer is ${own}`)
}

/** The seal keys on the disk. Those of a demo derive from its phrase. */
async function openKeys(init: CentralPeerInit): Promise<SealKeyStore> {
  const { manifest, sealSecret, dir, secretDir = dir, random, openRecords = fileRecords } = init
  const { demo, central } = manifest
  const first = sealSecret ?? (demo && demoSealSecret(demo.phrase, central.operator))
  return await openSealKeys(await openRecords(join(secretDir, SEAL_KEYS_DIR)), random, first)
}

function toResealing(
  { secret, clock, log }: CentralPeerInit,
  { rosters, say }: Membership,
  keys: SealKeyStore,
): Resealing {
  return resealing({ keys, rosters, signer: nativeSigner(secret), clock, log, say })
}

/** The issuer of tokens. Its records stay empty until somebody draws a key, except in a demo with tokens. */
async function openIssuer(
  { manifest, dir, secretDir = dir, clock, random, openRecords = fileRecords }: CentralPeerInit,
  store: CentralStore,
  parameters: () => TokenParameters | undefined,
): Promise<{ issuer: Issuer; issuance: IssuanceService }> {
  const { demo } = manifest
  const first =
    demo && manifest.parameters.tokens && (() => Object.values(demoIssuerNumbers(demo.phrase)).map(({ key }) => key))
  const keys = await openIssuerKeys(await openRecords(join(secretDir, ISSUER_DIR)), first)
  const enrolled = enrolments({ store, clock, random, perDay: (kind) => toPerDay(parameters(), kind) })
  const issuance = issuanceService({ manifest, parameters, keys, enrolments: enrolled, clock })
  return { issuer: { keys, enrolments: enrolled, counters: issuance.counters }, issuance }
}

/** The tokens of a kind that a device gets in a day; 0 without tokens. */
function toPerDay(parameters: TokenParameters | undefined, kind: TokenKind): number {
  if (parameters === undefined) return 0
  return kind === 'relay' ? RELAY_TOKENS_PER_DAY : parameters.perDay
}

function dutyToSharing(duty: Duty): { sharing?: 'leader' | 'follower' } {
  return duty === ALONE ? {} : { sharing: duty.leads ? 'leader' : 'follower' }
}

/** The rounds of a process beside others, and how it stands to the rosters. */
function toSharing(
  { clock, log }: CentralPeerInit,
  parts: Pick<Parts, 'store' | 'membership' | 'risk'> & { records: Records; keys: SealKeyStore },
  duty: Duty,
): Pick<Parts, 'sharing' | 'standing'> {
  const { store, records, membership, risk, keys: seals } = parts
  const { rosters, say } = membership
  const own = (): Standing => membership.standing.state()
  if (duty === ALONE) return { sharing: undefined, standing: own }
  const shared = { store, records, rosters, risk, clock, log }
  if (duty.leads) {
    const publish = (pin: Pin): void => say({ kind: 'pin', ...pin })
    return { sharing: leaderRounds({ ...shared, standing: own, publish }), standing: own }
  }
  const sharing = followerRounds({ ...shared, seals })
  return { sharing, standing: sharing.standing }
}

/** Starts all that one process does. */
async function lead(parts: Parts, clock: Clock, log: Log): Promise<void> {
  await parts.host.serve(SEALED_PROTOCOL, parts.sealed.handle)
  await parts.membership.start()
  parts.membership.standing.start()
  await parts.seals.start()
  // Marks follow while the peer serves.
  await parts.risk.start()
  for (const pin of parts.pins.open(clock.now())) parts.membership.say({ kind: 'pin', ...pin })
  // The sweep asks the peers for their time, so the start does not wait for it.
  void parts.sweeping.start()
  parts.closing.start()
  parts.scrubbing.start()
  parts.counting.start()
  parts.sharing?.start()
  log.info('central.started', { activeReports: parts.risk.status.reports })
}

/** Takes syncs and serves rosters. The leader does everything else. */
async function follow(parts: Parts, log: Log): Promise<void> {
  await parts.risk.start()
  parts.sharing?.start()
  await parts.membership.serve()
  await parts.host.serve(SEALED_PROTOCOL, parts.sealed.handle)
  log.info('central.follows')
}

/** The records name a federation since the first start, which founded the store before. */
async function openStore(
  { dir, keyPath, servers, random, clock, founding }: CentralPeerInit,
  records: Records,
): Promise<CentralStore> {
  const isFounded = founding === 'restored' || (await isFoundedWith(records))
  const rule = founding === 'anew' ? founding : isFounded ? 'never' : 'if-missing'
  const erasedPath = join(dir, 'erased-users')
  if (servers !== undefined) {
    const { postgresStore } = await import('./store/postgres/postgres-store.ts')
    const own = { keyPath: keyPath ?? databaseKeyPath(dir), erasedPath, founding: rule } as const
    return await postgresStore({ urls: servers, ...own, random, clock })
  }
  return await levelStore({
    dir: join(dir, 'store'),
    erasedPath,
    ...(keyPath !== undefined && { keyPath }),
    random,
    clock,
    founding: rule,
  })
}

function isOnDisk({ store, servers }: CentralPeerInit): boolean {
  return store === undefined && servers === undefined
}

async function describeKeys({ dir, keyPath = join(dir, 'store.keys') }: CentralPeerInit): Promise<string> {
  const isReadable = await isOneDisk(keyPath, join(dir, 'store'))
  return isReadable
    ? 'on the disk of the store: a thief of the disk can read the store (--store-key-file)'
    : 'on another disk than the store'
}

/** The median of the peers' clocks in Unix ms; undefined when no peer answers. */
async function peersTime(watch: ClockWatch, clock: Clock): Promise<number | undefined> {
  await watch.check()
  return watch.peersOffsetMs === undefined ? undefined : clock.now() - watch.peersOffsetMs
}

async function openPins(
  { manifest, secret, clock, log }: CentralPeerInit,
  store: CentralStore,
  membership: Membership,
  standing: () => Standing,
  { leads }: Duty,
): Promise<RosterPins> {
  const federation = manifestToId(manifest)
  // The leader publishes the pins of a follower.
  const publish = (pin: Pin): void => (leads ? membership.say({ kind: 'pin', ...pin }) : undefined)
  const { rosters } = membership
  const pins = await rosterPins({ store, rosters, federation, signer: nativeSigner(secret), publish, standing })
  followOwnPins(pins, membership, clock, log)
  return pins
}

/** A store that was restored from a backup lacks the newest pins, and another pin of their epochs would be a lie. */
function followOwnPins(pins: RosterPins, { pool }: Membership, clock: Clock, log: Log): void {
  pool.onNews((kind) => {
    if (kind !== 'pin') return
    const own = pool.pins(timeToEpoch(clock.now() - DEPOSIT_WINDOW_MS) - 1)
    // All are in the queue before the next deposit is.
    Promise.all(own.map((pin) => pins.adopt(pin))).catch(() => log.error('central.pin-not-kept'))
  })
}

async function disassemble(parts: Parts): Promise<void> {
  const { host, membership, service, risk, seals, sweeping, closing: ordering, scrubbing, counting, sharing } = parts
  // New syncs get BUSY meanwhile.
  await service.idle()
  const works = [membership, sweeping, ordering, scrubbing, counting, ...(sharing ? [sharing] : [])]
  const isQuiet = Promise.all(works.map((work) => work.stop()))
  await host.stop()
  await isQuiet
  await seals.settled()
  await risk.stop()
}

function toProfile(change: Omit<DryRun, 'report'>, config: CentralConfig, manifest: Manifest): RiskProfile {
  const { degrees, latencyEpochs, profile } = config
  return toCentralConfig({ profile, degrees, latencyEpochs, ...change }, manifest).profile
}

/** A reply must have room for the refusal of every group and one mark, or a device would take refused rows for stored. */
function assertReplySize({ parameters }: Manifest): void {
  if (marksPerReply(parameters.syncReplyBytes, SYNC_GROUPS_MAX) < 1) {
    refuse('parameters.syncReplyBytes', `${parameters.syncReplyBytes} bytes cannot refuse ${SYNC_GROUPS_MAX} groups`)
  }
}

/** Milliseconds on a monotonic clock, for durations only. */
function stopwatch(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

function refuse(path: string, reason: string): never {
  throw new FederationError('MANIFEST_INVALID', `federation.json: ${path}: ${reason}`, { path, reason })
}
