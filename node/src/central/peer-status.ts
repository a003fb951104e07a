/**
 * The status of a central peer: its state, its counts, the condition of its store, and the reports as the authority sees
 * them. PROTOCOL.md §8. No value names a user or a hash.
 */
import { DAY_MS, EPOCH_MS, keyToPeerId, type Manifest } from '@geotrace/core-wasm/wire'
import type { Standing } from '../membership/agreement/standing.ts'
import { strayedOperators } from '../membership/clock-watch.ts'
import type { CodeCounts } from './codes/batches.ts'
import type { CentralConfig } from './config.ts'
import type { IssuanceCounters } from './enrolment/issuance-service.ts'
import type { PeerHealth, PeerState } from './health.ts'
import type { Parts } from './parts.ts'
import type { QuarantinedReport } from './risk/report-register.ts'
import type { HeldReport, ReportFacts } from './risk/report-stages.ts'
import type { SealedCounters } from './sealed/sealed-service.ts'
import type { DayStatistics, ReportId } from './store/central-store.ts'
import type { SyncCounters } from './sync/service.ts'

const MIB = 1 << 20

export interface CentralStatus extends Readonly<SyncCounters & SealedCounters & IssuanceCounters> {
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

export interface CentralStatistics {
  readonly users: number
  /** Keys and values of the whole store. */
  readonly storeMib: number
  readonly days: readonly DayStatistics[]
  readonly codes: CodeCounts
}

export interface CentralCondition {
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

export function toStatus(
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

export async function toStatistics({ store, codes }: Parts): Promise<CentralStatistics> {
  const { bytes, ...counts } = await store.statistics()
  return { ...counts, storeMib: Math.ceil(bytes / MIB), codes: await codes.counts() }
}

export async function toCondition(state: PeerState, parts: Parts | undefined): Promise<CentralCondition> {
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

export async function toOutcomes({ store, risk }: Parts): Promise<ReportOutcome[]> {
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
