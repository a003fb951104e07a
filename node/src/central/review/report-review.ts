/**
 * The decisions of the authority about a report, and the record that follows. node/CENTRAL.md "Reports". Pure. Throws COMMAND_INVALID
 * for a decision that the stage of the report does not allow.
 */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { ReportRecord } from '../store/central-store.ts'

/** `restore` undoes a rejection or a retraction. */
export type ReviewDecision = 'publish' | 'reject' | 'retract' | 'restore'
/** `held` waits for the authority, `computing` for its marks. The reporter ended one that is `withdrawn`. */
export type ReportStage = 'held' | 'computing' | 'published' | 'rejected' | 'retracted' | 'withdrawn' | 'ended'

/** Longer than a sentence, and short enough for a line of the audit log. */
const REASON_MAX = 200
/** One line of text without control characters. */
const REASON = new RegExp(`^[^\\p{C}\\p{Zl}\\p{Zp}]{1,${REASON_MAX}}$`, 'u')

/** Whether a text may stand as the reason of a decision. */
export function isReason(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && REASON.test(value)
}

/** The record after the decision. `stage` is the report's stage before. `reason` stays with a report that gives no marks. */
export function reviewReport(
  report: ReportRecord,
  stage: ReportStage,
  decision: ReviewDecision,
  nowMs: number,
  reason?: string,
): ReportRecord {
  const { approvedAt: _, reason: __, ...rest } = report
  const why = reason === undefined ? {} : { reason }
  const refuse = (expected: string, next: string): never => {
    const reason = `report ${report.id} is ${stage}; ${decision} expected ${expected}: ${next}`
    throw new FederationError('COMMAND_INVALID', reason, { reason })
  }
  switch (decision) {
    case 'publish':
      if (stage !== 'held') return refuse('a held report', 'see geotrace reports list')
      return { ...rest, state: 'active', approvedAt: nowMs }
    case 'reject':
      if (stage !== 'held') return refuse('a held report', 'retract a published one instead')
      return { ...rest, ...why, state: 'rejected' }
    case 'retract':
      if (stage === 'rejected' || stage === 'retracted' || stage === 'withdrawn')
        return refuse('a report that gives marks', 'it gives none any more')
      return { ...rest, ...why, state: stage === 'held' ? 'rejected' : 'retracted' }
    case 'restore':
      if (stage === 'rejected') return { ...rest, state: 'held' }
      if (stage !== 'retracted') return refuse('a rejected or retracted report', 'see geotrace reports list')
      // A person decided, so neither review nor circuit breaker asks again.
      return { ...rest, state: 'active', approvedAt: nowMs }
  }
}
