/**
 * The reports that count, in memory, each with how far its marks are. PROTOCOL.md §8. A report is over when deposits can
 * change it no more. The register decides how many degrees of a report are computed.
 */
import type { Clock } from '@geotrace/core-wasm'
import { type CentralConfig, reportToEnd } from '../config.ts'
import type { ReportStage } from '../review/report-review.ts'
import type { CentralStore, ReportId, ReportProgress, ReportRecord, User } from '../store/central-store.ts'
import { dayToFirstEpoch } from '../store/day.ts'
import { type ReportStages, reportStages } from './report-stages.ts'
import { profileToText, type RiskProfile } from './risk-profile.ts'

/** Where the report of a user stands, as its device sees it. `held`: its marks wait for the authority. */
type ReportStanding = 'none' | 'accepted' | 'held' | 'published'

export interface ReportRegister extends ReportStages {
  load(): Promise<ReportId[]>
  loadProgress(): Promise<void>
  get(id: ReportId): ReportRecord | undefined
  put(report: ReportRecord): void
  forget(id: ReportId): void
  isOver(report: ReportRecord): boolean
  /** The profile under which the report is computed. `degrees` is 0 when none is. */
  profileOf(id: ReportId): RiskProfile
  /** Names the settings and dates that a report's marks follow from. Marks of other settings do not hold. */
  basisOf(report: ReportRecord): string
  /** Names the settings and the dates that a quarantine belongs to. */
  scopeOf(id: ReportId): string
  progressOf(id: ReportId): ReportProgress
  putProgress(progress: ReportProgress): Promise<void>
  /** The user's reports that count or wait: held or active, and not recovered. */
  reportsOf(user: User): ReportRecord[]
  standing(user: User): ReportStanding
  /** The reports that give marks and count rows of these UTC days. */
  countingAfter(days: readonly number[]): ReportId[]
  readonly active: number
  /** Reports of which not all degrees are computed, with the bound that they reached. */
  quarantined(): QuarantinedReport[]
}
export interface QuarantinedReport extends Pick<NonNullable<ReportProgress['quarantine']>, 'degrees' | 'bound'> {
  readonly report: ReportId
}

interface ReportRegisterInit {
  store: Pick<CentralStore, 'reports' | 'progress' | 'putProgress'>
  config: CentralConfig
  clock: Clock
}

export function reportRegister({ store, config, clock }: ReportRegisterInit): ReportRegister {
  const reports = new Map<ReportId, ReportRecord>()
  const progress = new Map<ReportId, ReportProgress>()
  const byUser = new Map<User, Set<ReportId>>()

  const isOver = (report: ReportRecord): boolean => reportToEnd(report, config) <= clock.now()
  const progressOf = (id: ReportId): ReportProgress => progress.get(id) ?? { report: id }
  const scopeOf = (id: ReportId): string => `from ${reports.get(id)?.from} ${profileToText(config.profile)}`
  const quarantineOf = (id: ReportId): ReportProgress['quarantine'] => {
    const { quarantine } = progressOf(id)
    // Other settings or dates may need less.
    return quarantine?.scope === scopeOf(id) ? quarantine : undefined
  }
  const profileOf = (id: ReportId): RiskProfile => {
    const degrees = Math.min(config.profile.degrees, quarantineOf(id)?.degrees ?? config.profile.degrees)
    return { ...config.profile, degrees }
  }
  const basisOf = ({ id, from }: ReportRecord): string => `from ${from} ${profileToText(profileOf(id))}`
  const put = (report: ReportRecord): void => {
    reports.set(report.id, report)
    const own = byUser.get(report.user) ?? new Set<ReportId>()
    byUser.set(report.user, own.add(report.id))
  }
  const reportsOf = (user: User): ReportRecord[] => {
    const own = [...(byUser.get(user) ?? [])].map((id) => reports.get(id)!)
    return own.filter((report) => isCounting(report) && !isOver(report))
  }
  const stages = reportStages({ reports, progressOf, profileOf, scopeOf, basisOf, isOver })
  const loadProgress = async (): Promise<void> => {
    for (const item of await store.progress()) progress.set(item.report, item)
  }
  const counting = (): ReportRecord[] => [...reports.values()].filter(({ state }) => state === 'active')
  return {
    loadProgress,
    countingAfter: (days) =>
      counting().flatMap(({ id, from }) => (from < dayToFirstEpoch(Math.max(...days) + 1) ? id : [])),
    async load() {
      await loadProgress()
      for (const report of await store.reports()) if (!isOver(report)) put(report)
      return [...reports.keys()]
    },
    get: (id) => reports.get(id),
    put,
    forget(id) {
      const user = reports.get(id)?.user
      if (user !== undefined) byUser.get(user)?.delete(id)
      if (user !== undefined && byUser.get(user)?.size === 0) byUser.delete(user)
      reports.delete(id)
    },
    isOver,
    profileOf,
    basisOf,
    scopeOf,
    progressOf,
    async putProgress(item) {
      progress.set(item.report, item)
      await store.putProgress(item)
    },
    reportsOf,
    standing: (user) => stagesToStanding(reportsOf(user).map((report) => stages.factsOf(report).stage)),
    ...stages,
    get active() {
      return counting().length
    },
    quarantined: () => counting().flatMap(({ id }) => toQuarantined(id, quarantineOf(id))),
  }
}

function stagesToStanding(own: readonly ReportStage[]): ReportStanding {
  if (own.length === 0) return 'none'
  if (own.includes('held')) return 'held'
  return own.includes('computing') ? 'accepted' : 'published'
}

function toQuarantined(report: ReportId, quarantine: ReportProgress['quarantine']): QuarantinedReport[] {
  return quarantine === undefined ? [] : [{ report, degrees: quarantine.degrees, bound: quarantine.bound }]
}

/** Whether a report counts or waits, before its end. */
function isCounting({ state, recoveredAt }: ReportRecord): boolean {
  return (state === 'active' || state === 'held') && recoveredAt === undefined
}
