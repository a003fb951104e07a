/**
 * The risk rule: decides which deposited hashes a report marks. PROTOCOL.md §8. Integers only. Reads rows, writes nothing.
 * Two users with an equal hash were in one cell. One is a source for the other in two cases. Both were there in the
 * same block (lag 0), or the source was there one block earlier (lag 1). The score of the pair is the sum of the
 * weights of its equal hashes. When the score reaches the threshold of the degree, all these hashes become marks.
 * A user marked at degree k − 1 in short blocks is a source of degree k, forward in time only. No risk goes straight back
 * to the user's own source. Only short blocks make marks of degree 2 and more.
 * The rule goes through the epochs once for each degree to find the sources, and once more to collect the marks.
 * Memory is bounded (limits.ts). Throws RISK_BOUND for the first degree that needs more, and ABORTED.
 */
import { bytesToRows, LAG_CURRENT, type Mark, ROW_BYTES, type Row } from '@geotrace/core-wasm/wire'
import type { User, UserRows } from '../store/central-store.ts'
import { hashToKey, keysToHashes, mergeRows } from '../store/row-set.ts'
import { countsFor, type HeldHashes, holdRows, type Source, toList } from './holders.ts'
import { assertWithin, type RiskLimits } from './limits.ts'
import { type MarkBatch, markBatch } from './mark-batch.ts'
import { type PairScores, pairScores } from './pair-scores.ts'
import { degreeToThreshold, isCrossedByOne, matchWeights, type RiskProfile } from './risk-profile.ts'
import type { Slices } from './slices.ts'

/** The reading part of a CentralStore. */
export interface RowSource {
  epochs(): Promise<readonly number[]>
  userRows(epoch: number, users: readonly User[]): Promise<readonly Uint8Array[]>
  probe(epoch: number, hashes: Uint8Array): AsyncIterable<UserRows>
}
export interface RiskReport {
  readonly user: User
  /** First and last epoch whose rows count, for every degree. */
  readonly from: number
  readonly until: number
}
/** Receives the sources and hashes before the rule reads their rows. Rows written later can then cause another run. */
export interface RiskWatch {
  sources(users: Iterable<User>): void
  /** n × 12. */
  hashes(hashes: Uint8Array): void
}
export interface RiskRun {
  readonly rows: RowSource
  readonly report: RiskReport
  readonly profile: RiskProfile
  readonly limits: RiskLimits
  readonly slices: Slices
  readonly watch?: RiskWatch
  /** Only users above this one get marks; an earlier run wrote those of the others. */
  readonly after?: User
}

/** The sources of one degree, and what the rule knows about their pairs. */
interface Level {
  readonly degree: number
  readonly sources: readonly Source[]
  /** The scores that make marks; undefined when any match crosses the threshold. */
  readonly pairs: PairScores | undefined
  /** The scores that make sources: of short blocks only. Undefined with `pairs`. */
  readonly carriers: PairScores | undefined
  readonly toWeight: ReturnType<typeof matchWeights>
  /** Whether rows of this size of a source count. */
  isCarrying(size: number): boolean
  work: number
  /** The rows of the sources by epoch, as far as there is room. */
  readonly kept: Map<number, Held>
  readonly room: { left: number }
}
/** The rows of a level's sources in one epoch, by hash, and how many they are. */
interface Held {
  readonly hashes: HeldHashes
  readonly count: number
}
/** Rows of sources that stay in memory for the next pass: some 20 MB. */
const KEPT_MAX = 100_000
type Arrivals = Map<User, Source>

/** All marks of the report, in batches of users. Equal rows, report and profile give equal marks. */
export async function* reportToMarks(run: RiskRun): AsyncGenerator<MarkBatch> {
  const { rows, report, limits } = run
  const epochs = (await rows.epochs()).filter((epoch) => epoch >= report.from && epoch <= report.until)
  const levels = await findLevels(run, epochs)
  const targets: Targets = { rows: new Map(), isComplete: true }
  let after: User | undefined = run.after ?? -1
  while (after !== undefined) {
    const { upTo, users } = nextTargets(targets, after, limits.marks)
    const batch = markBatch(after, limits.marks, upTo)
    for (const epoch of epochs) {
      const found = (held: readonly Held[]) =>
        users === undefined ? counted(run, probeAll(run, epoch, held), targets) : rowsOf(rows, epoch, users)
      await run.slices.step(() => collectMarks(run, epoch, { levels, batch, found }))
    }
    yield batch
    after = batch.upTo
  }
}

/** The users that the first pass through the epochs found, with the rows that may become marks. */
interface Targets {
  readonly rows: Map<User, number>
  /** False when there are so many that each pass looks for them again. */
  isComplete: boolean
}

/**
 * The users of the next batch. The first pass finds all targets by their hashes. A later one reads the rows of its users
 * only, or each pass would cost as much as the first.
 */
function nextTargets(
  { rows, isComplete }: Targets,
  after: User,
  marksMax: number,
): { upTo: User | undefined; users: User[] | undefined } {
  if (rows.size === 0 || !isComplete) return { upTo: undefined, users: undefined }
  const left = [...rows.keys()].filter((user) => user > after).sort((a, b) => a - b)
  let marks = 0
  const end = left.findIndex((user, i) => {
    marks += rows.get(user)!
    return i > 0 && marks > marksMax
  })
  return end < 0 ? { upTo: undefined, users: left } : { upTo: left[end - 1], users: left.slice(0, end) }
}

async function* counted(
  { limits }: RiskRun,
  found: AsyncIterable<UserRows>,
  targets: Targets,
): AsyncGenerator<UserRows> {
  for await (const item of found) {
    const { user, rows } = item
    if (targets.isComplete) targets.rows.set(user, (targets.rows.get(user) ?? 0) + rows.length / ROW_BYTES)
    if (targets.rows.size > limits.arrivals) targets.isComplete = false
    yield item
  }
}

/** The order of marks in the store: by epoch, then by hash. */
export function compareMarks(a: Mark, b: Mark): number {
  return a.epoch - b.epoch || Buffer.compare(a.hash, b.hash)
}

/** The sources of each degree. */
async function findLevels(run: RiskRun, epochs: readonly number[]): Promise<Level[]> {
  const { report, profile, limits, watch } = run
  const levels: Level[] = []
  const settled = new Map<User, number>()
  const room = { left: KEPT_MAX }
  let sources: Source[] = [{ user: report.user, from: report.from, via: report.user, otherFrom: report.from }]
  for (let degree = 1; degree <= profile.degrees && sources.length > 0; degree++) {
    assertWithin(limits, 'sources', sources.length, degree)
    watch?.sources(sources.map(({ user }) => user))
    const threshold = degreeToThreshold(profile, degree)
    const isScored = !isCrossedByOne(profile, degree)
    const users = sources.map(({ user }) => user)
    const pairs = isScored ? pairScores(threshold, users) : undefined
    // Beyond degree 1 the two scores are the same.
    const carriers = isScored && degree === 1 ? pairScores(threshold, users) : pairs
    const isCarrying = (size: number): boolean => degree === 1 || size <= profile.chainMinutes
    const toWeight = matchWeights(profile, degree)
    const kept = new Map<number, Held>()
    const level = { degree, sources, pairs, carriers, toWeight, isCarrying, work: 0, kept, room }
    levels.push(level)
    const isLast = degree === profile.degrees
    if (isLast && !isScored) break
    const arrivals: Arrivals = new Map()
    for (const epoch of epochs)
      await run.slices.step(() => findArrivals(run, epoch, level, isLast ? undefined : arrivals))
    sources = toFrontier(arrivals, settled)
  }
  return levels
}

/** Adds one epoch to the scores of the level's pairs, and to the users that its sources reach. */
async function findArrivals(run: RiskRun, epoch: number, level: Level, arrivals: Arrivals | undefined): Promise<void> {
  const { profile, limits } = run
  const { pairs, carriers } = level
  await forMatches(
    run,
    epoch,
    [level],
    (held) => probeAll(run, epoch, held),
    (target, row, [held]) => {
      for (const holder of toList(held)) {
        if (!countsFor(holder, target, epoch)) continue
        const size = toMatchSize(row, holder)
        const weight = level.toWeight(size, holder.lag)
        if (weight === 0) continue
        const { user } = holder.source
        let isCarried = pairs === undefined || pairs.add(user, target, weight)
        if (size > profile.chainMinutes) continue
        if (carriers !== undefined && carriers !== pairs) isCarried = carriers.add(user, target, weight)
        if (isCarried && arrivals !== undefined) arrive(arrivals, holder.source, target, epoch + profile.latencyEpochs)
      }
      assertWithin(limits, 'pairs', pairs?.size ?? 0, level.degree)
      assertWithin(limits, 'arrivals', arrivals?.size ?? 0, level.degree + 1)
    },
  )
}

interface Collecting {
  readonly levels: readonly Level[]
  readonly batch: MarkBatch
  readonly found: Found
}

async function collectMarks(run: RiskRun, epoch: number, { levels, batch, found }: Collecting): Promise<void> {
  const onMatch: OnMatch = (target, row, held) => {
    if (!batch.takes(target)) return
    for (const [i, { degree, pairs, toWeight }] of levels.entries()) {
      let best: { weight: number; lag: 0 | 1 } | undefined
      for (const holder of toList(held[i])) {
        const { lag } = holder
        const weight = toWeight(toMatchSize(row, holder), lag)
        if (weight === 0 || (best !== undefined && (weight - best.weight || best.lag - lag) <= 0)) continue
        if (!countsFor(holder, target, epoch)) continue
        if (pairs === undefined || pairs.isCrossed(holder.source.user, target)) best = { weight, lag }
      }
      // A lower degree is graver, whatever its weight.
      if (best === undefined) continue
      batch.add(target, { epoch, hash: row.hash, degree, ...best })
      return
    }
  }
  await forMatches(run, epoch, levels, found, onMatch, batch.takes)
}

/** Two people with one hash and two sizes: one of them lies, so the match counts as the longer block. */
function toMatchSize(row: Row, holder: { size: number }): number {
  return Math.max(row.size, holder.size)
}

type OnMatch = (target: User, row: Row, held: readonly (ReturnType<HeldHashes['get']> | undefined)[]) => void
/** Rows of users, among them all current ones with a hash that is held. */
type Found = (held: readonly Held[]) => AsyncIterable<UserRows>

/**
 * Calls `onMatch` for each current row of other users with a hash of the levels' sources; by user, then by hash. `takes`
 * leaves users out.
 */
async function forMatches(
  run: RiskRun,
  epoch: number,
  levels: readonly Level[],
  found: Found,
  onMatch: OnMatch,
  takes: (target: User) => boolean = () => true,
): Promise<void> {
  const { report, limits, slices } = run
  const held = await holdLevels(run, epoch, levels)
  for await (const { user, rows: bytes } of found(held)) {
    if (user === report.user || !takes(user)) continue
    const matched = bytesToRows(bytes)
    let units = 0
    for (const row of matched) {
      if ((row.lags & LAG_CURRENT) === 0) continue
      const key = hashToKey(row.hash)
      const holders = held.map(({ hashes }) => hashes.get(key))
      for (const [i, level] of levels.entries()) {
        const work = toList(holders[i]).length
        level.work += work
        units += work
        assertWithin(limits, 'work', level.work, level.degree)
      }
      onMatch(user, row, holders)
    }
    const pause = slices.spend(matched.length + units)
    if (pause !== undefined) await pause
  }
}

/**
 * The rows with the held hashes, one item for each user, ascending. One probe for each level, as the search for sources
 * makes them too: the store still knows the answers.
 */
async function* probeAll({ rows, watch }: RiskRun, epoch: number, held: readonly Held[]): AsyncGenerator<UserRows> {
  const wanted = held.map(({ hashes }) => keysToHashes(hashes.keys())).filter((hashes) => hashes.length > 0)
  if (wanted.length === 1) {
    watch?.hashes(wanted[0]!)
    return yield* rows.probe(epoch, wanted[0]!)
  }
  const found = new Map<User, Uint8Array[]>()
  for (const hashes of wanted) {
    watch?.hashes(hashes)
    for await (const { user, rows: some } of rows.probe(epoch, hashes)) {
      const known = found.get(user)
      if (known === undefined) found.set(user, [some])
      else known.push(some)
    }
  }
  for (const user of [...found.keys()].sort((a, b) => a - b)) yield { user, rows: mergeRows(...found.get(user)!) }
}

async function holdLevels(run: RiskRun, epoch: number, levels: readonly Level[]): Promise<Held[]> {
  const held: Held[] = []
  let count = 0
  for (const level of levels) {
    const known = level.kept.get(epoch) ?? (await holdLevel(run, epoch, level, count))
    held.push(known)
    count += known.count
    assertWithin(run.limits, 'hashes', count, level.degree)
  }
  return held
}

/** The rows of the level's sources in an epoch. `before`: the rows of lower levels, which count too. */
async function holdLevel(run: RiskRun, epoch: number, level: Level, before: number): Promise<Held> {
  const { rows, limits, slices } = run
  const isPruned = level.pairs === undefined
  const hashes: HeldHashes = new Map()
  let count = 0
  for await (const [source, bytes] of rowsOfSources(rows, epoch, level.sources)) {
    const own = bytesToRows(bytes).filter(({ size }) => level.isCarrying(size))
    holdRows(hashes, { source, epoch, rows: own, isPruned })
    count = isPruned ? hashes.size : count + own.length
    level.work += own.length
    assertWithin(limits, 'hashes', before + count, level.degree)
    assertWithin(limits, 'work', level.work, level.degree)
    const pause = slices.spend(own.length)
    if (pause !== undefined) await pause
  }
  const held = { hashes, count }
  if (count <= level.room.left) {
    level.room.left -= count
    level.kept.set(epoch, held)
  }
  return held
}

/** Users whose rows are read at once. */
const USERS_AT_ONCE = 256

/** The rows of the sources that count in an epoch, in the order of the sources. */
async function* rowsOfSources(
  rows: RowSource,
  epoch: number,
  sources: readonly Source[],
): AsyncGenerator<[source: Source, rows: Uint8Array]> {
  const counting = sources.filter(({ from }) => from <= epoch)
  let n = 0
  for await (const { rows: bytes } of rowsOf(
    rows,
    epoch,
    counting.map(({ user }) => user),
  ))
    yield [counting[n++]!, bytes]
}

/** The rows of users, in their order. */
async function* rowsOf(rows: RowSource, epoch: number, users: readonly User[]): AsyncGenerator<UserRows> {
  for (let i = 0; i < users.length; i += USERS_AT_ONCE) {
    const some = users.slice(i, i + USERS_AT_ONCE)
    for (const [n, bytes] of (await rows.userRows(epoch, some)).entries()) yield { user: some[n]!, rows: bytes }
  }
}

/** Adds a crossing to the users that are reached. The epochs ascend, so the first crossing is the earliest. */
function arrive(arrivals: Arrivals, source: Source, target: User, from: number): void {
  const known = arrivals.get(target)
  if (known === undefined) {
    // The reporter is never a target, so a chain straight from the reporter needs no alternative.
    const otherFrom = source.user === source.via ? from : Number.POSITIVE_INFINITY
    arrivals.set(target, { user: target, from, via: source.user, otherFrom })
  } else if (known.via !== source.user && from < known.otherFrom) {
    arrivals.set(target, { ...known, otherFrom: from })
  }
}

/** The arrivals that become sources: each is earlier than the user's `otherFrom` at every lower degree. */
function toFrontier(arrivals: ReadonlyMap<User, Source>, settled: Map<User, number>): Source[] {
  const before = (user: User): number => settled.get(user) ?? Number.POSITIVE_INFINITY
  const sources = [...arrivals.values()].filter(({ user, from }) => from < before(user))
  for (const { user, otherFrom } of sources) settled.set(user, Math.min(otherFrom, before(user)))
  return sources.sort((a, b) => a.from - b.from || a.user - b.user)
}
