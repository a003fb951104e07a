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

/** The record after the decision. `stage` is the report's stage before. */
export function reviewReport(
  report: ReportRecord,
  stage: ReportStage,
  decision: ReviewDecision,
  nowMs: number,
): ReportRecord {
  const { approvedAt: _, ...rest } = report
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
      return { ...rest, state: 'rejected' }
    case 'retract':
      if (stage === 'rejected' || stage === 'retracted' || stage === 'withdrawn')
        return refuse('a report that gives marks', 'it gives none any more')
      return { ...rest, state: stage === 'held' ? 'rejected' : 'retracted' }
    case 'restore':
      if (stage === 'rejected') return { ...rest, state: 'held' }
      if (stage !== 'retracted') return refuse('a rejected or retracted report', 'see geotrace reports list')
      // A person decided, so neither review nor circuit breaker asks again.
      return { ...rest, state: 'active', approvedAt: nowMs }
  }
}
