/**
 * Keeps all marks equal to the risk rule's result. PROTOCOL.md §8. The engine computes each active report in the
 * background, and again after a sync that may change it. It removes the marks of retracted and rejected reports. No reply
 * waits for a computation, and no start does. Throws REPORT_UNKNOWN, COMMAND_INVALID.
 */
import { setImmediate } from 'node:timers/promises'
import { type Clock, type OneAtATime, oneAtATime, type Turns, turns } from '@geotrace/core-wasm'
import { busy, FederationError } from '@geotrace/core-wasm/wire'
import { toCode } from '../../platform/disk-error.ts'
import type { Log } from '../../platform/log.ts'
import type { CentralConfig } from '../config.ts'
import { type ReviewDecision, reviewReport } from '../review/report-review.ts'
import type { CentralStore, EpochRows, MarkList, ReportId, ReportRecord, User } from '../store/central-store.ts'
import { type Computation, computation } from './computation.ts'
import { computationQueue } from './computation-queue.ts'
import { countMarks, type RiskSummary } from './dry-run.ts'
import { RISK_LIMITS, type RiskLimits } from './limits.ts'
import { type MarkWriter, markWriter } from './mark-writer.ts'
import { type QuarantinedReport, type ReportRegister, reportRegister } from './report-register.ts'
import type { HeldReport } from './report-stages.ts'
import type { RiskProfile } from './risk-profile.ts'
import { type CancellableSlices, cancellableSlices } from './slices.ts'
import { sourceIndex } from './source-index.ts'

/** Delay after a computation that failed, for example because a database was reopened. */
const AGAIN_MS = 60_000

interface RiskStatus {
  readonly reports: number
  /** Entries of the source index. */
  readonly hashes: number
  readonly riskMs: number
  readonly failures: number
  /** Reports that wait for the end of their computation. */
  readonly waiting: number
  readonly quarantined: readonly QuarantinedReport[]
  readonly held: readonly HeldReport[]
}
export interface RiskEngine extends Pick<ReportRegister, 'reportsOf' | 'standing' | 'factsOf'> {
  /** Reads the reports. Their computations follow, and finish what an earlier process left. */
  start(): Promise<void>
  /** Ends the running computation, which the next start continues. */
  stop(): Promise<void>
  /** Takes a new or changed report that the store has kept. */
  add(report: ReportRecord): void
  /** Reads the reports that another process has changed. Does nothing for the only process of its store. */
  refresh(): Promise<void>
  /** Computes again the reports that count rows of these UTC days, because another process has taken rows. */
  rowsChanged(days: readonly number[]): void
  /** Takes rows that the store has kept. */
  deposited(user: User, groups: readonly EpochRows[]): void
  /** After epochs have closed: computes the reports that the source index had no room for, if rows came since. */
  closed(): void
  /** Computes at once what waits for its computation. Resolves when nothing is left. */
  settled(): Promise<void>
  /** Decides about a report. A rejection or retraction removes all its marks. Throws REPORT_UNKNOWN, COMMAND_INVALID. */
  review(id: ReportId, decision: ReviewDecision, reason?: string): Promise<void>
  /** Runs a task that reads, decides and writes reports of a user. The authority decides in the same turn. */
  inTurn<T>(user: User, task: () => Promise<T>): Promise<T>
  /** Counts the marks that the report would give under a profile. Changes nothing. Throws REPORT_UNKNOWN. */
  dryRun(id: ReportId, profile: RiskProfile): Promise<RiskSummary>
  /** Starts a new generation of a user's list; undefined for an erased user. */
  renew(user: User): Promise<MarkList | undefined>
  /** Runs a task while no computation reads or writes. A task waits for one step, some milliseconds to a second. */
  readonly exclusive: OneAtATime
  readonly status: RiskStatus
}
interface RiskEngineInit {
  store: CentralStore
  config: CentralConfig
  clock: Clock
  log: Log
  /** Milliseconds of real time, for the status. */
  stopwatch(): number
  limits?: Partial<RiskLimits>
  /** Entries of the source index. */
  indexMax?: number
  /** The duty of this process beside others; undefined for the only one. A follower computes and removes nothing. */
  sharing?: 'leader' | 'follower'
}
interface Running {
  readonly id: ReportId
  readonly slices: CancellableSlices
  readonly ended: Promise<void>
}

export function riskEngine(init: RiskEngineInit): RiskEngine {
  const { store, config, clock, log, sharing } = init
  const computes = sharing !== 'follower'
  const exclusive = oneAtATime()
  const limits = { ...RISK_LIMITS, ...init.limits }
  const index = sourceIndex(init.indexMax)
  const reports = reportRegister({ store, config, clock })
  const marks = markWriter(store)
  const work = computation({ store, reports, marks, limits, ...config, clock, log })
  const perUser = turns<User>(1)
  const runs = computationRuns({ ...init, exclusive, reports, work, index, marks })
  const queue = computationQueue({ clock, compute: (id) => runs.compute(id, (delayMs) => queue.add(id, delayMs)) })

  const add = (report: ReportRecord): void => {
    reports.put(report)
    if (computes) queue.add(report.id)
    // The queue removes the entries of the index, because a large index takes longer than a reply.
    if (report.state !== 'active') runs.cancel(report.id)
  }
  const find = (id: ReportId): Promise<ReportRecord> => findReport(store, id)
  /** The removal waits only for the computation of this report, which was cancelled. The queue repeats a failed one. */
  const remove = async (id: ReportId): Promise<void> => {
    await runs.remove(id)
    for (const part of [index, queue]) part.remove(id)
  }
  const enqueue = (ids: Iterable<ReportId>): void => {
    for (const id of ids) queue.add(id)
  }
  const closed = (): void => enqueue(index.takeLate())
  const refresh = refreshes({ store, sharing, reports, perUser, find, add })

  return {
    async start() {
      const ids = await reports.load()
      if (computes) enqueue(ids)
      await refresh()
    },
    refresh,
    rowsChanged: (days) => enqueue(reports.countingAfter(days)),
    async stop() {
      runs.cancel()
      await queue.stop()
    },
    add,
    deposited: (user, groups) => enqueue(index.concerned(user, groups)),
    closed,
    async settled() {
      closed()
      await queue.settled()
    },
    review: reviews({ store, clock, reports, perUser, find, add, remove: computes ? remove : leaveToLeader }),
    inTurn: perUser.run,
    reportsOf: reports.reportsOf,
    standing: reports.standing,
    factsOf: reports.factsOf,
    dryRun: async (id, profile) => {
      const counted = { rows: store, report: await find(id), profile, limits }
      return queue.alone(() =>
        countMarks({ ...counted, slices: cancellableSlices({ pause: setImmediate, exclusive }) }),
      )
    },
    renew: computes ? marks.renew : refuseRenewal,
    exclusive,
    get status() {
      const { active, quarantined, held } = reports
      const sizes = { reports: active, hashes: index.size, waiting: queue.waiting }
      return { ...runs.counters, ...sizes, quarantined: quarantined(), held: held() }
    },
  }
}

interface RefreshesInit extends Pick<RiskEngineInit, 'store'> {
  sharing: RiskEngineInit['sharing'] | undefined
  reports: ReportRegister
  perUser: Turns<User>
  find(id: ReportId): Promise<ReportRecord>
  add(report: ReportRecord): void
}

/** Takes the reports whose records are others than at the last look. Every process of a store may change them. */
function refreshes({ store, sharing, reports, perUser, find, add }: RefreshesInit): RiskEngine['refresh'] {
  const inTurn = oneAtATime()
  let seen = new Map<ReportId, string>()
  if (sharing === undefined) return async () => {}
  return () =>
    inTurn(async () => {
      if (sharing === 'follower') await reports.loadProgress()
      const records = await store.reports()
      const texts = new Map(records.map((report) => [report.id, JSON.stringify(report)]))
      const changed = records.filter(({ id }) => seen.get(id) !== texts.get(id))
      // In the turn of the reporter, so that no newer record of this process is overwritten in memory.
      for (const { id, user } of changed) await perUser.run(user, async () => add(await find(id)))
      seen = texts
    })
}

/** The leader removes the marks when it reads the decision. */
async function leaveToLeader(): Promise<void> {}

/** Only one process at a time writes lists of marks. The device comes again, and the leader renews its list. */
async function refuseRenewal(): Promise<undefined> {
  throw busy()
}

/** Throws REPORT_UNKNOWN. */
async function findReport(store: Pick<CentralStore, 'reports'>, id: ReportId): Promise<ReportRecord> {
  const report = (await store.reports()).find((item) => item.id === id)
  if (report !== undefined) return report
  throw new FederationError('REPORT_UNKNOWN', `no report ${id}; see geotrace reports list`, { report: id })
}

function isWithoutMarks({ state }: ReportRecord): boolean {
  return state === 'rejected' || state === 'retracted'
}

interface ReviewsInit extends Pick<RiskEngineInit, 'store' | 'clock'> {
  reports: ReportRegister
  perUser: Turns<User>
  find(id: ReportId): Promise<ReportRecord>
  add(report: ReportRecord): void
  remove(id: ReportId): Promise<void>
}

/** A decision about a report is read and written in the turn of its reporter. Its marks go in the turn of the report. */
function reviews({ store, clock, reports, perUser, find, add, remove }: ReviewsInit): RiskEngine['review'] {
  const perReport = turns<ReportId>(1)
  const decide = async (id: ReportId, decision: ReviewDecision, reason?: string): Promise<ReportRecord> => {
    const before = await find(id)
    const after = reviewReport(before, reports.factsOf(before).stage, decision, clock.now(), reason)
    await store.putReport(after)
    add(after)
    return after
  }
  return (id, decision, reason) =>
    perReport.run(id, async () => {
      const { user } = await find(id)
      if (isWithoutMarks(await perUser.run(user, () => decide(id, decision, reason)))) await remove(id)
    })
}

interface RunsInit extends Pick<RiskEngineInit, 'log' | 'stopwatch'> {
  exclusive: OneAtATime
  reports: ReportRegister
  work: Computation
  index: ReturnType<typeof sourceIndex>
  marks: MarkWriter
}

/** The running computation, which a retraction or a stop cancels. */
function computationRuns({ exclusive, reports, work, index, marks, log, stopwatch }: RunsInit) {
  const counters = { riskMs: 0, failures: 0 }
  let running: Running | undefined

  const remove = async (id: ReportId): Promise<void> => {
    if (running?.id === id) await running.ended
    await removeMarks(id)
    const report = reports.get(id)
    if (report !== undefined && isWithoutMarks(report)) reports.forget(id)
  }
  /** A restored report is computed anew. */
  const removeMarks = async (id: ReportId): Promise<void> => {
    await marks.remove(id, exclusive)
    if (Object.keys(reports.progressOf(id)).length > 1) await reports.putProgress({ report: id })
  }
  const forget = (id: ReportId): void => {
    reports.forget(id)
    index.remove(id)
  }
  const run = async (id: ReportId, slices: CancellableSlices, again: (delayMs?: number) => void): Promise<void> => {
    const report = reports.get(id)
    if (report === undefined) return
    try {
      if (isWithoutMarks(report)) await removeMarks(id)
      if (isWithoutMarks(report) || reports.isOver(report)) forget(id)
      // The marks of a report that waits again stay as they are.
      else if (report.state === 'held') index.remove(id)
      else if (!(await work.compute(report, slices, index.watch(id)))) again()
      if (reports.isStopped(id)) index.remove(id)
    } catch (error) {
      if (slices.isCancelled) return void (await work.interrupted(id).catch(() => {}))
      counters.failures++
      log.error('risk.failed', { report: id, code: toCode(error) })
      again(AGAIN_MS)
    }
  }
  return {
    counters,
    remove,
    /** Cancels the running computation, or only that of one report. */
    cancel(id = running?.id) {
      if (running?.id === id) running?.slices.cancel()
    },
    async compute(id: ReportId, again: (delayMs?: number) => void): Promise<number> {
      const slices = cancellableSlices({ pause: setImmediate, exclusive })
      const startedMs = stopwatch()
      const ended = run(id, slices, again)
      running = { id, slices, ended }
      await ended
      running = undefined
      counters.riskMs += stopwatch() - startedMs
      return slices.units
    },
  }
}
