import { describe, expect, it } from 'vitest'
import {
  isReason,
  type ReportStage,
  type ReviewDecision,
  reviewReport,
} from '../../../src/central/review/report-review.ts'
import type { ReportRecord } from '../../../src/central/store/central-store.ts'

const REPORT: ReportRecord = { id: 3, user: 1, at: 5, from: 1, until: 9, state: 'active', approvedAt: 7 }
const DECISIONS: readonly ReviewDecision[] = ['publish', 'reject', 'retract', 'restore']

describe('the review of reports', () => {
  it('each decision changes exactly the stages that this table allows', () => {
    const approved = { state: 'active', approvedAt: 100 }
    const table: Record<ReportStage, (object | undefined)[]> = {
      held: [approved, { state: 'rejected' }, { state: 'rejected' }, undefined],
      computing: [undefined, undefined, { state: 'retracted' }, undefined],
      published: [undefined, undefined, { state: 'retracted' }, undefined],
      ended: [undefined, undefined, { state: 'retracted' }, undefined],
      rejected: [undefined, undefined, undefined, { state: 'held' }],
      retracted: [undefined, undefined, undefined, approved],
      withdrawn: [undefined, undefined, undefined, undefined],
    }
    const { approvedAt: _, ...rest } = REPORT
    for (const [stage, outcomes] of Object.entries(table) as [ReportStage, (object | undefined)[]][]) {
      for (const [i, decision] of DECISIONS.entries()) {
        const decide = () => reviewReport(REPORT, stage, decision, 100)
        if (outcomes[i] === undefined) expect(decide, `${decision} ${stage}`).toThrow(`report 3 is ${stage}`)
        else expect(decide(), `${decision} ${stage}`).toEqual({ ...rest, ...outcomes[i] })
      }
    }
  })

  it('a reason stays with a report that gives no marks, and goes when the report is restored', () => {
    const why = 'two samples for one'
    const rejected = reviewReport(REPORT, 'held', 'reject', 100, why)
    const retracted = reviewReport(REPORT, 'published', 'retract', 100, why)
    expect([rejected, retracted]).toMatchObject([{ reason: why }, { reason: why }])
    for (const [report, stage] of [
      [rejected, 'rejected'],
      [retracted, 'retracted'],
    ] as const)
      expect(reviewReport(report, stage, 'restore', 200)).not.toHaveProperty('reason')
  })

  it('a reason is one line of at most 200 characters', () => {
    for (const text of ['a', 'Prüfung wiederholt, 2. Probe negativ', 'x'.repeat(200)]) expect(isReason(text)).toBe(true)
    for (const text of ['', ' ', 'x'.repeat(201), 'two\nlines', 'a\u0000', 'a\u2028b', 7, undefined])
      expect(isReason(text)).toBe(false)
  })
})
