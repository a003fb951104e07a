/** The stage of each report, as the authority and the reporter see it. node/CENTRAL.md "Reports". Reads only. */
import type { ReportStage } from '../review/report-review.ts'
import type { ReportId, ReportProgress, ReportRecord } from '../store/central-store.ts'
import type { RiskProfile } from './risk-profile.ts'

export interface ReportFacts extends Pick<ReportProgress, 'people' | 'publishedAt' | 'profile'> {
  readonly stage: ReportStage
  /** Why a report is held: for its review, by the circuit breaker, or because no degree of it can be computed. */
  readonly heldBy?: 'review' | 'breaker' | 'bound'
}
export interface HeldReport {
  readonly report: ReportId
  /** The people whom the circuit breaker counted; undefined for a report that waits for its review. */
  readonly people: number | undefined
}
export interface ReportStages {
  /** The stage of a report with how far its marks are. */
  factsOf(report: ReportRecord): ReportFacts
  /** Whether the circuit breaker stopped the report. */
  isStopped(id: ReportId): boolean
  /** Reports that wait for the authority. */
  held(): HeldReport[]
}

interface Facts {
  readonly reports: ReadonlyMap<ReportId, ReportRecord>
  progressOf(id: ReportId): ReportProgress
  profileOf(id: ReportId): RiskProfile
  scopeOf(id: ReportId): string
  basisOf(report: ReportRecord): string
  isOver(report: ReportRecord): boolean
}

export function reportStages({ reports, progressOf, profileOf, scopeOf, basisOf, isOver }: Facts): ReportStages {
  const stopOf = (id: ReportId): ReportProgress['stopped'] => {
    const { stopped } = progressOf(id)
    const { state, approvedAt } = reports.get(id) ?? {}
    return state === 'active' && approvedAt === undefined && stopped?.scope === scopeOf(id) ? stopped : undefined
  }
  const holderOf = ({ id, state }: ReportRecord): ReportFacts['heldBy'] => {
    if (state === 'held') return 'review'
    if (stopOf(id) !== undefined) return 'breaker'
    return profileOf(id).degrees === 0 ? 'bound' : undefined
  }
  const stageOf = (report: ReportRecord): ReportStage => {
    if (report.state === 'rejected') return 'rejected'
    if (report.state === 'retracted') return report.isWithdrawn ? 'withdrawn' : 'retracted'
    if (report.recoveredAt !== undefined || isOver(report)) return 'ended'
    if (holderOf(report) !== undefined) return 'held'
    return progressOf(report.id).computed === basisOf(report) ? 'published' : 'computing'
  }
  return {
    factsOf(report) {
      const { people, publishedAt, profile } = progressOf(report.id)
      const [stage, heldBy] = [stageOf(report), holderOf(report)]
      return {
        stage,
        ...(stage === 'held' && heldBy && { heldBy }),
        ...(people && { people }),
        ...(profile && { profile }),
        ...(publishedAt !== undefined && { publishedAt }),
      }
    },
    isStopped: (id) => stopOf(id) !== undefined,
    held: () =>
      [...reports.values()].flatMap((report) =>
        stageOf(report) === 'held' && holderOf(report) !== 'bound'
          ? [{ report: report.id, people: stopOf(report.id)?.people }]
          : [],
      ),
  }
}
