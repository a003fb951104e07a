/**
 * Assembles the parts of a central peer for one duty, and takes them apart again. PROTOCOL.md §8. The host, the membership and
 * the services live as long as the duty. Throws MANIFEST_INVALID and the errors of store and network.
 */
import { join } from 'node:path'
import type { Clock } from '@geotrace/core-wasm'
import type { TokenKind } from '@geotrace/core-wasm/tokens'
import {
  DEPOSIT_WINDOW_MS,
  isAppOrigin,
  type Manifest,
  manifestToId,
  manifestToRoster,
  type Pin,
  RELAY_TOKENS_PER_DAY,
  type Roster,
  type TokenParameters,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Standing } from '../membership/agreement/standing.ts'
import { type ClockWatch, clockWatch } from '../membership/clock-watch.ts'
import { demoIssuerNumbers } from '../membership/demo-issuer.ts'
import { assertSameFederation, createMembership, type Membership } from '../membership/membership.ts'
import { demoSealSecret } from '../membership/new-manifest.ts'
import { createHost } from '../net/host.ts'
import type { Host } from '../net/protocol.ts'
import { fileRecords, type Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { type CodeRegistry, codeRegistry } from './codes/codes.ts'
import type { CentralConfig } from './config.ts'
import { type Enrolments, enrolments } from './enrolment/enrolments.ts'
import { type IssuanceCounters, type IssuanceService, issuanceService } from './enrolment/issuance-service.ts'
import { ISSUER_DIR, type IssuerKeys, openIssuerKeys } from './enrolment/issuer-keys.ts'
import { ALONE, type Duty } from './lease/duty.ts'
import { type FollowerRounds, followerRounds, type LeaderRounds, leaderRounds } from './lease/sharing.ts'
import { adoptRecords, storeRecords } from './lease/store-records.ts'
import { assertCentralKey } from './manifest-checks.ts'
import type { CentralPeerInit, Opened } from './opening.ts'
import { retentionToEpoch } from './retention.ts'
import { type RiskEngine, riskEngine } from './risk/risk-engine.ts'
import { type Resealing, resealing } from './sealed/resealing.ts'
import { openSealKeys, SEAL_KEYS_DIR, type SealKeyStore } from './sealed/seal-keys.ts'
import { type SealedService, sealedService } from './sealed/sealed-service.ts'
import type { CentralStore } from './store/central-store.ts'
import { dayToFirstEpoch } from './store/day.ts'
import { storeRoom } from './store-room.ts'
import { type RosterPins, rosterPins } from './sync/pins.ts'
import { type SyncService, syncService } from './sync/service.ts'
import { toUpkeep, type Upkeep } from './upkeep.ts'

/** The issuer of tokens. */
interface Issuer {
  readonly keys: IssuerKeys
  readonly enrolments: Enrolments
  readonly counters: Readonly<IssuanceCounters>
}

export interface Parts extends Omit<Opened, 'ownRecords'>, Upkeep {
  host: Host
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
  duty: Duty
  /** The rounds of a process beside others; undefined for the only one. */
  sharing: LeaderRounds | FollowerRounds | undefined
}

export async function assemble(
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

export async function disassemble(parts: Parts): Promise<void> {
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

/** Milliseconds on a monotonic clock, for durations only. */
function stopwatch(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}
