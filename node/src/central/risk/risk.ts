/**
 * The risk rule: which deposited hashes a report marks. PROTOCOL.md §8. Pure, integers only; rows come through `RowSource`.
 *
 * On an equal hash, x is a source to y when both were there in the same block (lag 0), or x one block before y (lag 1);
 * never the other way. A pair's score is the sum over its hashes; at the threshold of the degree all of them are marks.
 * Whoever is marked at degree k − 1 is a source of degree k, only forward in time and never back to whom it comes from.
 *
 * More rows only ever add marks, lower degrees or raise weights: so the order of syncs cannot matter, and marks of rows
 * that were erased since can be kept beside the marks computed later (mark-list.ts).
 */
import { LAG_CURRENT, LAG_NEXT, type Mark, type Row } from '@geotrace/core-wasm/wire'
import type { User, UserRows } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'
import { bestMark } from './mark-list.ts'
import { degreeToThreshold, type RiskProfile } from './risk-profile.ts'

/** Sources of one degree: a city block of contacts of contacts; beyond it the result says `capped`. */
export const FRONTIER_MAX = 10_000
/** Pairs looked at for one degree, about 200 MB. */
export const PAIRS_MAX = 500_000

/** The part of a store that the rule reads. */
export interface RowSource {
  epochs(): Promise<readonly number[]>
  userRows(epoch: number, user: User): Promise<readonly Row[]>
  probe(epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows>
}
export interface RiskReport {
  readonly user: User
  /** Epochs whose rows count, for every degree, both inclusive. */
  readonly from: number
  readonly until: number
}
/** What one report says about one user. */
export interface UserRisk {
  /** The nearest way from the reporter. */
  readonly degree: number
  /** From this epoch on the user is a source itself. */
  readonly from: number
  /** One a hash; ascending by epoch, then hash. */
  readonly marks: readonly Mark[]
}
export interface RiskResult {
  readonly users: ReadonlyMap<User, UserRisk>
  /** A bound was hit: what is there holds, more may be missing. */
  readonly capped: boolean
}
/** Told what the rule is about to read, before it reads: whoever writes later can know that it was too late. */
export interface RiskWatch {
  sources(users: Iterable<User>): void
  hashes(keys: Iterable<string>): void
}

/** Somebody who may infect others, and since when. */
interface Source {
  readonly user: User
  readonly from: number
  /** Over whom the earliest way came; to that one the next best counts. */
  readonly via: User
  readonly otherFrom: number
}
type Match = Omit<Mark, 'degree'>
interface Pair {
  readonly source: User
  readonly target: User
  score: number
  /** Epoch in which the score crossed the threshold; −1 before. */
  crossed: number
  readonly matches: Match[]
}

/** Everybody whom the report marks. Reads only; the same rows, report and profile give the same result. */
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
  /** By epoch and hash. */
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

/** Whoever was not a source as early at a lower degree; earliest first, should a bound cut the rest off. */
function toFrontier(arrivals: ReadonlyMap<User, Source>, settled: Map<User, number>): Source[] {
  const before = (user: User): number => settled.get(user) ?? Number.POSITIVE_INFINITY
  const sources = [...arrivals.values()].filter(({ user, from }) => from < before(user))
  for (const { user, otherFrom } of sources) settled.set(user, Math.min(otherFrom, before(user)))
  return sources.sort((a, b) => a.from - b.from || a.user - b.user)
}

/** By epoch, then hash: the order in which marks rest. */
export function compareMarks(a: Mark, b: Mark): number {
  return a.epoch - b.epoch || Buffer.compare(a.hash, b.hash)
}

/** All pairs of these sources that reached the threshold, epochs ascending. */
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

/** What the sources hold in an epoch, by hash. */
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

/** Scores by pair; matches must come epochs ascending. */
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

/** How a source's row reaches somebody who was there in the hash's block; undefined when it does not count. */
function directionToLag(lags: number, epoch: number, from: number): 0 | 1 | undefined {
  if ((lags & LAG_CURRENT) !== 0) return epoch >= from ? 0 : undefined
  return (lags & LAG_NEXT) !== 0 && epoch > from ? 1 : undefined
}

/** The earliest way to the pair's target, and the earliest over somebody else. */
function earlier(known: Source | undefined, { source, target }: Pair, from: number, reporter: User): Source {
  // Nobody infects the reporter, so a way that comes straight from there needs no second one.
  if (source === reporter) return { user: target, from, via: reporter, otherFrom: from }
  if (known === undefined) return { user: target, from, via: source, otherFrom: Number.POSITIVE_INFINITY }
  if (from < known.from) return { user: target, from, via: source, otherFrom: known.from }
  return { ...known, otherFrom: Math.min(known.otherFrom, from) }
}
