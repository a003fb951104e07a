/**
 * The risk rule: decides which deposited hashes a report marks. PROTOCOL.md §8. Pure, with integers only.
 * Two users with an equal hash were in one cell. One is a source for the other in two cases. Both were there in the
 * same block (lag 0), or the source was there one block earlier (lag 1). The score of the pair is the sum of the
 * weights of its equal hashes. When the score reaches the threshold of the degree, all these hashes become marks.
 * A user marked at degree k − 1 is a source of degree k: forward in time only, and never back to its own source.
 * More rows only add marks, lower degrees or raise weights. So the order of syncs does not matter, and older marks may
 * stay.
 */
import { LAG_CURRENT, LAG_NEXT, type Mark, type Row } from '@geotrace/core-wasm/wire'
import type { User, UserRows } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'
import { bestMark } from './mark-list.ts'
import { degreeToThreshold, type RiskProfile } from './risk-profile.ts'

/** Sources of one degree; enough for all contacts of contacts in a city block. A result with more is `capped`. */
export const FRONTIER_MAX = 10_000
/** Pairs considered for one degree, about 200 MB. A result with more is `capped`. */
const PAIRS_MAX = 500_000

/** The reading part of a CentralStore. */
export interface RowSource {
  epochs(): Promise<readonly number[]>
  userRows(epoch: number, user: User): Promise<readonly Row[]>
  probe(epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows>
}
export interface RiskReport {
  readonly user: User
  /** First and last epoch whose rows count, for every degree. */
  readonly from: number
  readonly until: number
}
/** The result of one report for one user. */
interface UserRisk {
  /** The fewest contact steps from the reporter. */
  readonly degree: number
  /** The user is a source from this epoch on. */
  readonly from: number
  /** At most one mark of each hash; ascending by epoch, then hash. */
  readonly marks: readonly Mark[]
}
export interface RiskResult {
  readonly users: ReadonlyMap<User, UserRisk>
  /** A bound was reached: the marks are right, but more may be missing. */
  readonly capped: boolean
}
/** Receives the sources and hashes before the rule reads their rows. Rows written later can then cause another run. */
export interface RiskWatch {
  sources(users: Iterable<User>): void
  hashes(keys: Iterable<string>): void
}

/** A user that may infect others, with the epoch from which that holds. */
interface Source {
  readonly user: User
  readonly from: number
  /** The user before this one on the earliest chain. For that user as a target, `otherFrom` counts instead of `from`. */
  readonly via: User
  /** The earliest epoch over a chain through any other user. */
  readonly otherFrom: number
}
type Match = Omit<Mark, 'degree'>
interface Pair {
  readonly source: User
  readonly target: User
  score: number
  /** Epoch in which the score reached the threshold; −1 before. */
  crossed: number
  readonly matches: Match[]
}

/** All users that the report marks. Reads only; equal rows, report and profile give an equal result. */
export async function reportToRisk(
  rows: RowSource,
  report: RiskReport,
  profile: RiskProfile,
  watch?: RiskWatch,
): Promise<RiskResult> {
  const found = new Map<User, Found>()
  const settled = new Map<User, number>()
  const epochs = (await rows.epochs()).filter((epoch) => epoch >= report.from && epoch <= report.until)
  let sources: Source[] = [{ user: report.user, from: report.from, via: report.user, otherFrom: report.from }]
  let capped = false

  for (let degree = 1; degree <= profile.degrees && sources.length > 0; degree++) {
    watch?.sources(sources.map(({ user }) => user))
    const pairs = await matchSources(rows, report.user, epochs, sources, profile, degree, watch)
    const arrivals = new Map<User, Source>()
    for (const pair of pairs.crossed) {
      const from = pair.crossed + profile.latencyEpochs
      arrivals.set(pair.target, earlier(arrivals.get(pair.target), pair, from, report.user))
      note(found, pair, degree, from)
    }
    sources = toFrontier(arrivals, settled)
    capped ||= pairs.capped || sources.length > FRONTIER_MAX
    sources = sources.slice(0, FRONTIER_MAX)
  }
  const users = [...found].sort(([a], [b]) => a - b)
  return {
    users: new Map(
      users.map(([user, { degree, from, marks }]) => [
        user,
        { degree, from, marks: [...marks.values()].sort(compareMarks) },
      ]),
    ),
    capped,
  }
}

interface Found {
  readonly degree: number
  from: number
  /** Keys are epoch and hash. */
  readonly marks: Map<string, Mark>
}

function note(found: Map<User, Found>, { target, matches }: Pair, degree: number, from: number): void {
  const entry = found.get(target) ?? { degree, from, marks: new Map<string, Mark>() }
  found.set(target, entry)
  if (entry.degree === degree) entry.from = Math.min(entry.from, from)
  for (const match of matches) {
    const key = `${match.epoch}/${hashToKey(match.hash)}`
    entry.marks.set(key, bestMark(entry.marks.get(key), { ...match, degree }))
  }
}

/**
 * The arrivals that become sources: each is earlier than the user's `otherFrom` at every lower degree. The earliest
 * come first, because a bound may cut off the rest.
 */
function toFrontier(arrivals: ReadonlyMap<User, Source>, settled: Map<User, number>): Source[] {
  const before = (user: User): number => settled.get(user) ?? Number.POSITIVE_INFINITY
  const sources = [...arrivals.values()].filter(({ user, from }) => from < before(user))
  for (const { user, otherFrom } of sources) settled.set(user, Math.min(otherFrom, before(user)))
  return sources.sort((a, b) => a.from - b.from || a.user - b.user)
}

/** The order of marks in the store: by epoch, then by hash. */
export function compareMarks(a: Mark, b: Mark): number {
  return a.epoch - b.epoch || Buffer.compare(a.hash, b.hash)
}

/** All pairs of these sources whose score reached the threshold. Goes through the epochs in ascending order. */
async function matchSources(
  rows: RowSource,
  reporter: User,
  epochs: readonly number[],
  sources: readonly Source[],
  profile: RiskProfile,
  degree: number,
  watch: RiskWatch | undefined,
): Promise<{ crossed: Pair[]; capped: boolean }> {
  const scores = pairScores(degreeToThreshold(profile, degree))
  for (const epoch of epochs) {
    const held = await gatherRows(rows, epoch, sources)
    if (held.size === 0) continue
    const wanted = new Set(held.keys())
    watch?.hashes(wanted)
    for await (const { user: target, rows: matched } of rows.probe(epoch, wanted)) {
      if (target === reporter) continue
      for (const { hash, size, lags } of matched) {
        if ((lags & LAG_CURRENT) === 0) continue
        for (const holder of held.get(hashToKey(hash)) ?? []) {
          const { source } = holder
          if (source.user === target) continue
          const lag = directionToLag(holder.lags, epoch, source.via === target ? source.otherFrom : source.from)
          if (lag === undefined) continue
          const weight = (lag === 0 ? profile.same : profile.trail) * profile.sizes[size]!
          if (weight > 0) scores.add(source.user, target, { epoch, hash, weight, lag })
        }
      }
    }
  }
  return { crossed: scores.crossed(), capped: scores.capped }
}

/** The sources' rows of an epoch, by hash. */
async function gatherRows(
  rows: RowSource,
  epoch: number,
  sources: readonly Source[],
): Promise<Map<string, { source: Source; lags: number }[]>> {
  const held = new Map<string, { source: Source; lags: number }[]>()
  for (const source of sources) {
    if (source.from > epoch) continue
    for (const { hash, lags } of await rows.userRows(epoch, source.user)) {
      const key = hashToKey(hash)
      const holders = held.get(key)
      if (holders === undefined) held.set(key, [{ source, lags }])
      else holders.push({ source, lags })
    }
  }
  return held
}

/** Sums scores by pair. The caller adds matches in ascending order of epochs. */
function pairScores(threshold: number) {
  const pairs = new Map<string, Pair>()
  let capped = false
  return {
    add(source: User, target: User, match: Match): void {
      const key = `${source}/${target}`
      let pair = pairs.get(key)
      if (pair === undefined && pairs.size >= PAIRS_MAX) {
        capped = true
        return
      }
      pair ??= { source, target, score: 0, crossed: -1, matches: [] }
      pairs.set(key, pair)
      pair.score += match.weight
      pair.matches.push(match)
      if (pair.crossed < 0 && pair.score >= threshold) pair.crossed = match.epoch
    },
    crossed: (): Pair[] => [...pairs.values()].filter(({ crossed }) => crossed >= 0),
    get capped(): boolean {
      return capped
    },
  }
}

/** The lag from a source's row to a user that was there in the hash's block; undefined when the row does not count. */
function directionToLag(lags: number, epoch: number, from: number): 0 | 1 | undefined {
  if ((lags & LAG_CURRENT) !== 0) return epoch >= from ? 0 : undefined
  return (lags & LAG_NEXT) !== 0 && epoch > from ? 1 : undefined
}

/** Adds a pair to its target's source: the earliest chain, and the earliest chain through another user. */
function earlier(known: Source | undefined, { source, target }: Pair, from: number, reporter: User): Source {
  // The reporter is never a target, so a chain straight from the reporter needs no alternative.
  if (source === reporter) return { user: target, from, via: reporter, otherFrom: from }
  if (known === undefined) return { user: target, from, via: source, otherFrom: Number.POSITIVE_INFINITY }
  if (from < known.from) return { user: target, from, via: source, otherFrom: known.from }
  return { ...known, otherFrom: Math.min(known.otherFrom, from) }
}
