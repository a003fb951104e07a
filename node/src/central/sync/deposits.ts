/**
 * Stores the content of a sync: rows, rows that are taken back, and changes of the user's reports. PROTOCOL.md §7.2. All of
 * it is durable before the acknowledgement. Throws SYNC_CONFLICT, ROSTER_UNKNOWN, STORAGE_FULL, QUOTA_SPENT.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  DAY_MS,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  equalBytes,
  FederationError,
  type SyncFrame,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { SpreadTable } from '../../membership/spread-table.ts'
import type { CodeRegistry } from '../codes/codes.ts'
import type { RiskEngine } from '../risk/risk-engine.ts'
import type { CentralStore, User } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'
import type { StoreRoom } from '../store-room.ts'
import { admitGroups, type GroupAdmission } from './admission.ts'
import { decideReport, isUntrue, type ReportDecision } from './own-reports.ts'
import type { RosterPins } from './pins.ts'
import { decodeBasis, encodeBasis, type ReplyBasis } from './reply-basis.ts'
import { toSlip } from './slips.ts'

export interface DepositCounters {
  duplicates: number
  groupsRefused: number
  reports: number
}
/** A request without the secret of its user. */
export interface IdentifiedSync extends Omit<SyncFrame, 'userSecret'> {
  /** SHA-256 of the content that a repetition repeats. */
  readonly digest: Uint8Array
}
interface DepositsInit {
  store: CentralStore
  rosters: Pick<RosterStore, 'newest'>
  pins: RosterPins
  codes: CodeRegistry
  spreads: Pick<SpreadTable, 'ruleOf'>
  risk: RiskEngine
  clock: Clock
  retentionStart(): number
  room: StoreRoom
  /** Deposits of one user in a UTC day. */
  perDay: number
  counters: DepositCounters
}

/** A repeated sync changes nothing and gets the same reply. Call it in the user's turn. */
export function deposits(init: DepositsInit): (user: User, sync: IdentifiedSync) => Promise<ReplyBasis> {
  const { store, rosters, pins, codes, spreads, risk, clock, retentionStart, room, perDay, counters } = init

  const decide = async (user: User, { syncId, report: kind }: IdentifiedSync): Promise<ReportDecision> =>
    decideReport(codes, { user, syncId, kind, own: risk.reportsOf(user), nowMs: clock.now() })

  const keep = async (
    user: User,
    sync: IdentifiedSync,
    { taken, fresh, takenBack, refused }: GroupAdmission,
    { status, ...records }: ReportDecision,
  ): Promise<ReplyBasis | undefined> => {
    const basis: ReplyBasis = { report: status, refused }
    const day = timeToDay(clock.now())
    const { syncId, digest } = sync
    // A sync that asks for no change of a report has no records beside its acknowledgement.
    const slip = toSlip(spreads, sync.report, records, clock.now())
    const change = { ...records, ...(slip && { slip }), isWithdrawal: isUntrue(sync.report) }
    const content = { takenBack, groups: taken, ...(sync.report.kind !== 'none' && change) }
    const since = firstDayOf(sync, clock.now())
    const known = { user, syncId, digest, basis: encodeBasis(basis), day, since, perDay }
    const outcome = await store.deposit({ ...known, ...content }).catch((error) => {
      // A part of the rows may be stored, and the repetition of the sync will not count them as new.
      risk.deposited(user, fresh)
      throw error
    })
    if (outcome === 'outdated') return undefined
    if (outcome === 'too-many') {
      const retryAfterMs = (day + 1) * DAY_MS - clock.now()
      throw new FederationError('QUOTA_SPENT', 'this user has made all deposits of the day', { retryAfterMs })
    }
    risk.deposited(user, fresh)
    for (const record of records.reports) risk.add(record)
    if (status === 'accepted' && records.reports.length > 0) counters.reports++
    return basis
  }

  return async (user, sync) => {
    const before = await store.findSync(user, sync.syncId, firstDayOf(sync, clock.now()))
    if (before !== undefined) {
      if (!equalBytes(before.digest, sync.digest)) {
        throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
      }
      counters.duplicates++
      return decodeBasis(before.basis)
    }
    await room.assertForDeposit()
    const { groups } = sync
    const admission = await admitGroups({
      store,
      rosters,
      pins,
      user,
      groups,
      nowMs: clock.now(),
      retentionStart: retentionStart(),
    })
    counters.groupsRefused += admission.refused.length
    // Another process may have taken the report of this user. Most syncs ask for no change of a report.
    if (sync.report.kind !== 'none') await risk.refresh()
    return await risk.inTurn(user, async () => {
      for (;;) {
        const kept = await keep(user, sync, admission, await decide(user, sync))
        // Undefined: another user took the code since the decision, or another process counted an attempt.
        if (kept !== undefined) return kept
      }
    })
  }
}

/** The UTC day before which the sync cannot have arrived, because its newest group was not open. */
function firstDayOf({ groups }: Pick<IdentifiedSync, 'groups'>, nowMs: number): number {
  const newest = groups.at(-1)
  return newest === undefined ? timeToDay(nowMs) : timeToDay(newest.epoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS)
}
