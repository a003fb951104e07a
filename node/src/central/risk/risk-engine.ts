/**
 * Keeps all marks equal to the risk rule's result. PROTOCOL.md §8. The engine computes each active report, computes it
 * again after a sync that may change it, and removes the marks of retracted reports. Computations run one at a time;
 * several requests to compute one report share one run. Throws REPORT_UNKNOWN.
 */
import { type Clock, type OneAtATime, oneAtATime } from '@geotrace/core-wasm'
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import type { Log } from '../../platform/log.ts'
import { type CentralConfig, reportToEnd } from '../config.ts'
import type { CentralStore, EpochRows, MarkList, ReportId, ReportRecord, User } from '../store/central-store.ts'
import { mergeMarks, renewMarks } from './mark-list.ts'
import { addResult, removeMarks, replaceReport, withoutReplaces } from './report-marks.ts'
import { type RiskResult, reportToRisk } from './risk.ts'
import type { RiskProfile } from './risk-profile.ts'
import { sourceIndex } from './source-index.ts'

export interface RiskSummary {
  /** Number of users marked at degree 1, 2 and so on. */
  readonly degrees: readonly number[]
  readonly marks: number
  /** A bound of the rule was reached, so marks may be missing. */
  readonly capped: boolean
}
export interface RiskEngine {
  /** Repairs the state after a crash: computes all active reports and removes the marks of all retracted ones. */
  start(): Promise<void>
  /** Takes a new or changed report that the store has kept; resolves when the store has the marks that follow from it. */
  add(report: ReportRecord): Promise<void>
  /** Takes rows that the store has kept, and computes the reports that they may change. */
  deposited(user: User, groups: readonly EpochRows[]): Promise<void>
  /** Resolves when all computations requested so far have ended. */
  settled(): Promise<void>
  /** Removes all marks of a report. Throws REPORT_UNKNOWN. */
  retract(id: ReportId): Promise<void>
  /** The user's reports that make this user a source: active and not recovered. */
  reportsOf(user: User): ReportRecord[]
  /** Where these reports stand: published when all their marks are in the store. */
  standing(user: User): 'none' | 'accepted' | 'published'
  /** Counts the marks that the report would give under a profile. Changes nothing. Throws REPORT_UNKNOWN. */
  dryRun(id: ReportId, profile: RiskProfile): Promise<RiskSummary>
  /** Starts a new generation of a user's list; undefined for an erased user. */
  renew(user: User): Promise<MarkList | undefined>
  /** Runs a task while no computation runs. */
  readonly exclusive: OneAtATime
  readonly status: {
    readonly reports: number
    readonly hashes: number
    readonly riskMs: number
    readonly failures: number
  }
}
interface RiskEngineInit {
  store: CentralStore
  config: CentralConfig
  clock: Clock
  log: Log
  /** Milliseconds of real time, for the status. */
  stopwatch(): number
}

export function riskEngine({ store, config, clock, log, stopwatch }: RiskEngineInit): RiskEngine {
  const exclusive = oneAtATime()
  const index = sourceIndex()
  const active = new Map<ReportId, ReportRecord>()
  const queued = new Map<ReportId, Promise<void>>()
  const computed = new Set<ReportId>()
  const counters = { riskMs: 0, failures: 0 }

  const compute = (id: ReportId): Promise<void> => {
    const known = queued.get(id)
    if (known !== undefined) return known
    const run = exclusive(async () => {
      // Rows that arrive from now on may be too late for this run, so they must be able to queue another run.
      queued.delete(id)
      const report = active.get(id)
      if (report === undefined) return
      const startedMs = stopwatch()
      try {
        const result = await reportToRisk(store, report, config.profile, index.watch(id))
        if (report.replaces === true) await replaceReport(store, report, result)
        else await addResult(store, id, result)
        if (active.get(id) === report) active.set(id, withoutReplaces(report))
        computed.add(id)
        if (result.capped) log.warn('risk.capped', { report: id })
      } catch (error) {
        counters.failures++
        log.error('risk.failed', { report: id, code: isFederationError(error) ? error.code : 'unknown' })
      } finally {
        counters.riskMs += stopwatch() - startedMs
      }
    })
    queued.set(id, run)
    return run
  }

  const prune = (): void => {
    for (const report of active.values()) {
      if (reportToEnd(report, config) > clock.now()) continue
      active.delete(report.id)
      index.remove(report.id)
    }
  }

  const find = async (id: ReportId): Promise<ReportRecord> => {
    const report = (await store.reports()).find((item) => item.id === id)
    if (report !== undefined) return report
    throw new FederationError('REPORT_UNKNOWN', `no report ${id}; see geotrace reports list`, { report: id })
  }

  const add = (report: ReportRecord): Promise<void> => {
    computed.delete(report.id)
    if (report.state === 'active') {
      active.set(report.id, report)
      return compute(report.id)
    }
    active.delete(report.id)
    index.remove(report.id)
    return exclusive(() => removeMarks(store, report.id))
  }

  const reportsOf = (user: User): ReportRecord[] => {
    prune()
    return [...active.values()].filter((report) => report.user === user && report.recoveredAt === undefined)
  }

  return {
    async start() {
      for (const report of await store.reports()) {
        if (report.state === 'retracted') await removeMarks(store, report.id)
        else active.set(report.id, report)
      }
      prune()
      await Promise.all([...active.keys()].map(compute))
    },
    add,
    async deposited(user, groups) {
      prune()
      await Promise.all(index.concerned(user, groups).map(compute))
    },
    settled: () => exclusive(async () => {}),
    async retract(id) {
      const report: ReportRecord = { ...(await find(id)), state: 'retracted' }
      await store.putReport(report)
      await add(report)
    },
    reportsOf,
    standing(user) {
      const own = reportsOf(user)
      if (own.length === 0) return 'none'
      return own.every(({ id }) => computed.has(id)) ? 'published' : 'accepted'
    },
    async dryRun(id, profile) {
      return toSummary(await reportToRisk(store, await find(id), profile))
    },
    renew: (user) =>
      exclusive(async () => {
        const known = await store.marks(user)
        if (known === undefined) return undefined
        const list = renewMarks(known, mergeMarks((await store.userMarks(user)).map(({ marks }) => marks)))
        await store.putMarks([{ user, changes: [], list }])
        return list
      }),
    exclusive,
    get status() {
      return { reports: active.size, hashes: index.size, ...counters }
    },
  }
}

function toSummary({ users, capped }: RiskResult): RiskSummary {
  const degrees: number[] = []
  let marks = 0
  for (const risk of users.values()) {
    degrees[risk.degree - 1] = (degrees[risk.degree - 1] ?? 0) + 1
    marks += risk.marks.length
  }
  return { degrees: Array.from(degrees, (count) => count ?? 0), marks, capped }
}
