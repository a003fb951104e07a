/**
 * Computes the marks of one report and writes them. PROTOCOL.md §8. A degree that exceeds its bounds is quarantined: it
 * is left out until the settings or the report change. A report whose computation ended with the process three times is
 * quarantined whole. A long computation keeps the last user that it wrote, and goes on behind this user after a kill.
 * The circuit breaker stops a report that would mark too many people before the first mark is written.
 */
import type { Clock } from '@geotrace/core-wasm'
import { isFederationError } from '@geotrace/core-wasm/wire'
import type { Log } from '../../platform/log.ts'
import type { CentralStore, ReportId, ReportRecord } from '../store/central-store.ts'
import { addPeople, countMarks } from './dry-run.ts'
import type { RiskLimits } from './limits.ts'
import type { MarkBatch } from './mark-batch.ts'
import type { MarkWriter } from './mark-writer.ts'
import type { ReportRegister } from './report-register.ts'
import { type RiskRun, type RiskWatch, reportToMarks } from './risk.ts'
import type { Slices } from './slices.ts'

/** Starts of the process in which a computation may fail to end. */
const TRIES_MAX = 3

interface ComputationInit {
  store: CentralStore
  reports: ReportRegister
  marks: MarkWriter
  limits: RiskLimits
  /** People above which the circuit breaker stops a report. */
  breakerPeople: number
  /** The signed version of the profile. */
  profileVersion: number
  clock: Clock
  log: Log
}
export interface Computation {
  /** Resolves with `false` when the report needs another computation, because this one continued an earlier one. */
  compute(report: ReportRecord, slices: Slices, watch: RiskWatch): Promise<boolean>
  /** Notes that the process did not end the computation of this report. */
  interrupted(id: ReportId): Promise<void>
}

export function computation(init: ComputationInit): Computation {
  const { store, reports, marks, limits, profileVersion, clock, log } = init
  const begun = new Set<ReportId>()

  const quarantine = async (id: ReportId, degrees: number, bound: string): Promise<void> => {
    const { partial, tries, ...rest } = reports.progressOf(id)
    await reports.putProgress({ ...rest, quarantine: { degrees, bound, scope: reports.scopeOf(id) } })
    log.error('risk.quarantined', { report: id, degrees, bound })
  }

  /** Counts the starts of the process since the last computation that ended. */
  const begin = async (id: ReportId): Promise<void> => {
    if (begun.has(id) || reports.profileOf(id).degrees === 0) return
    begun.add(id)
    const { tries = 0, ...rest } = reports.progressOf(id)
    if (tries >= TRIES_MAX) await quarantine(id, 0, 'tries')
    else await reports.putProgress({ ...rest, tries: tries + 1 })
  }

  const run = async (report: ReportRecord, slices: Slices, watch: RiskWatch): Promise<boolean> => {
    const { id } = report
    const basis = reports.basisOf(report)
    const { computed, partial, tries, stopped, ...kept } = reports.progressOf(id)
    const after = partial?.basis === basis ? partial.after : undefined
    const isReplacing = computed !== basis
    let isChanged = isReplacing || partial !== undefined || tries !== undefined
    const profile = reports.profileOf(id)
    const shared = { rows: store, report, profile, limits, slices, watch }
    let people: number[] | undefined
    for await (const batch of reportToMarks({ ...shared, ...(after !== undefined && { after }) })) {
      if (people === undefined && after === undefined && (await stops(init, shared, report, batch))) return true
      // From the first change on the marks are those of neither basis.
      if (people === undefined && isReplacing && computed !== undefined)
        await reports.putProgress({ ...kept, ...(tries && { tries }) })
      people = addPeople(people ?? [], batch.people())
      if (isReplacing) await marks.replace(id, batch, slices.step)
      else await marks.add(id, batch, slices.step)
      if (batch.upTo === undefined) continue
      const still = isReplacing ? kept : { ...kept, computed: basis }
      await reports.putProgress({ ...still, partial: { basis, after: batch.upTo } })
      isChanged = true
    }
    if (after !== undefined) people = undefined
    const named = { name: profile.name, version: profileVersion }
    const facts = { publishedAt: kept.publishedAt ?? clock.now(), profile: named, ...(people && { people }) }
    isChanged ||= kept.profile?.version !== profileVersion || `${people ?? kept.people}` !== `${kept.people}`
    if (isChanged) await reports.putProgress({ ...kept, ...facts, computed: basis })
    return after === undefined
  }

  return {
    async compute(report, slices, watch) {
      if (reports.isStopped(report.id)) return true
      await begin(report.id)
      while (reports.profileOf(report.id).degrees > 0) {
        try {
          return await run(report, slices, watch)
        } catch (error) {
          if (!isFederationError(error, 'RISK_BOUND')) throw error
          await quarantine(report.id, error.data.degree - 1, error.data.bound)
        }
      }
      return true
    },
    async interrupted(id) {
      const { tries, ...rest } = reports.progressOf(id)
      if (tries !== undefined) await reports.putProgress(rest)
    },
  }
}

/** Whether the circuit breaker stops the report, whose first marks are in the batch. Marks so far stay. */
async function stops(
  { reports, breakerPeople, log }: ComputationInit,
  run: RiskRun,
  { id, approvedAt }: ReportRecord,
  batch: MarkBatch,
): Promise<boolean> {
  if (approvedAt !== undefined) return false
  const degrees = batch.upTo === undefined ? batch.people() : (await countMarks(run)).degrees
  const people = degrees.reduce((sum, count) => sum + count, 0)
  if (people <= breakerPeople) return false
  const { partial, tries, ...rest } = reports.progressOf(id)
  await reports.putProgress({ ...rest, stopped: { people, scope: reports.scopeOf(id) } })
  log.error('risk.stopped', { report: id, people, most: breakerPeople })
  return true
}
