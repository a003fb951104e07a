/**
 * Keeps all marks equal to the risk rule's result. PROTOCOL.md §8. The engine computes each active report, computes it
 * again after a sync that may change it, and removes the marks of retracted reports. Computations run one at a time;
 * several requests to compute one report share one run. Throws REPORT_UNKNOWN.
 */
import { type Clock, type OneAtATime, oneAtATime } from '@geotrace/core-wasm'
import { FederationError, isFederationError, type Mark } from '@geotrace/core-wasm/wire'
import type { Log } from '../../platform/log.ts'
import { type CentralConfig, reportToEnd } from '../config.ts'
import type {
  CentralStore,
  EpochRows,
  MarkChange,
  MarkList,
  ReportId,
  ReportRecord,
  User,
} from '../store/central-store.ts'
import { mergeMarks, renewMarks, updateMarks } from './mark-list.ts'
import { compareMarks, type RiskResult, reportToRisk } from './risk.ts'
import type { RiskProfile } from './risk-profile.ts'
import { sourceIndex } from './source-index.ts'

/** Changed users that one call of the store writes. */
const CHANGES_PER_WRITE = 200

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
  /** Takes a report that the store has kept; resolves when the store has its marks. */
  add(report: ReportRecord): Promise<void>
  /** Takes rows that the store has kept, and computes the reports that they may change. */
  deposited(user: User, groups: readonly EpochRows[]): Promise<void>
  /** Resolves when all computations requested so far have ended. */
  settled(): Promise<void>
  /** Removes all marks of a report. Throws REPORT_UNKNOWN. */
  retract(id: ReportId): Promise<void>
  /** Whether the user has an active report. */
  isReporter(user: User): boolean
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
        await keep(id, result)
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

  /** Merges the result into the stored marks. A mark stays even after the central peer erased its rows. */
  const keep = async (id: ReportId, { users }: RiskResult): Promise<void> => {
    await write(users.keys(), async (user) => {
      const known = await store.userMarks(user)
      const before = known.find(({ report }) => report === id)?.marks ?? []
      const marks = mergeMarks([before, users.get(user)!.marks]).sort(compareMarks)
      if (isSame(before, marks)) return undefined
      return change(user, id, marks, known)
    })
  }

  const removeMarks = (id: ReportId): Promise<void> =>
    exclusive(async () => {
      await write(await store.markedUsers(id), async (user) => change(user, id, [], await store.userMarks(user)))
    })

  const change = async (
    user: User,
    report: ReportId,
    marks: readonly Mark[],
    known: readonly { report: ReportId; marks: readonly Mark[] }[],
  ): Promise<MarkChange | undefined> => {
    const list = await store.marks(user)
    if (list === undefined) return undefined
    const others = known.filter((item) => item.report !== report).map((item) => item.marks)
    return { user, changes: [{ report, marks }], list: updateMarks(list, mergeMarks([...others, marks])) }
  }

  const write = async (
    users: Iterable<User>,
    toChange: (user: User) => Promise<MarkChange | undefined>,
  ): Promise<void> => {
    let changes: MarkChange[] = []
    for (const user of users) {
      const item = await toChange(user)
      if (item !== undefined) changes.push(item)
      if (changes.length < CHANGES_PER_WRITE) continue
      await store.putMarks(changes)
      changes = []
    }
    if (changes.length > 0) await store.putMarks(changes)
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
    active.set(report.id, report)
    return compute(report.id)
  }

  return {
    async start() {
      for (const report of await store.reports()) {
        if (report.state === 'retracted') await removeMarks(report.id)
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
      const report = await find(id)
      await store.putReport({ ...report, state: 'retracted' })
      active.delete(id)
      index.remove(id)
      await removeMarks(id)
    },
    isReporter(user) {
      prune()
      return [...active.values()].some((report) => report.user === user)
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

function isSame(a: readonly Mark[], b: readonly Mark[]): boolean {
  return (
    a.length === b.length &&
    a.every((mark, i) => {
      const other = b[i]!
      return mark.degree === other.degree && mark.weight === other.weight && mark.lag === other.lag
    })
  )
}
