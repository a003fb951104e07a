/**
 * A sync changes the reports of its own user: it presents a code, or withdraws. PROTOCOL.md §7.2, §8. Decides only; the
 * caller keeps the records together with the acknowledgement.
 */
import { type ReportStatus, type SyncKind, timeToEpoch } from '@geotrace/core-wasm/wire'
import type { CodeRegistry } from '../codes/codes.ts'
import type { Deposit, ReportRecord, User } from '../store/central-store.ts'

export interface ReportDecision extends Pick<Deposit, 'attempts' | 'code'> {
  readonly status: ReportStatus
  /** New or changed records. */
  readonly reports: readonly ReportRecord[]
}
interface ReportChange {
  readonly user: User
  readonly syncId: Uint8Array
  readonly kind: SyncKind
  /** The user's reports that count. */
  readonly own: readonly ReportRecord[]
  readonly nowMs: number
}

export async function decideReport(codes: CodeRegistry, change: ReportChange): Promise<ReportDecision> {
  const { user, syncId, kind, own, nowMs } = change
  if (kind.kind === 'code') {
    const { report, ...redemption } = await codes.redeem(user, syncId, kind)
    return { ...redemption, reports: report === undefined ? [] : [report] }
  }
  if (kind.kind !== 'withdraw' || own.length === 0) return { status: 'none', reports: [] }
  const withdraw = isUntrue(kind) ? retract : (report: ReportRecord) => recover(report, nowMs)
  return { status: 'withdrawn', reports: own.map(withdraw) }
}

/** Whether the user withdraws because there was no infection. */
export function isUntrue(kind: SyncKind): boolean {
  return kind.kind === 'withdraw' && kind.reason !== 'recovered'
}

/** The report was an error, or the test was negative: all its marks go. */
export function retract(report: ReportRecord): ReportRecord {
  return { ...report, state: 'retracted', isWithdrawn: true }
}

/** The reporter is no source any more. The marks stay, and rows of earlier epochs that arrive later still give marks. */
function recover(report: ReportRecord, nowMs: number): ReportRecord {
  return { ...report, until: Math.min(report.until, timeToEpoch(nowMs)), recoveredAt: nowMs }
}
