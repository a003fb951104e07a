import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { LAG_CURRENT, LAG_NEXT, timeToEpoch } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CentralConfig, toCentralConfig } from '../../../src/central/config.ts'
import type { RiskLimits } from '../../../src/central/risk/limits.ts'
import { type RiskEngine, riskEngine } from '../../../src/central/risk/risk-engine.ts'
import { type RiskProfile, SEED_PROFILE } from '../../../src/central/risk/risk-profile.ts'
import type { CentralStore, ReportRecord } from '../../../src/central/store/central-store.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { hashToKey } from '../../../src/central/store/row-set.ts'
import type { Log } from '../../../src/platform/log.ts'
import { deposit, group, hash, id, row } from '../store/sample.ts'
import { demoManifest, START } from '../world.ts'
import { type ModelMark, type ModelRow, modelMarks } from './risk-model.ts'

const BASE = timeToEpoch(START) - 20
const USERS = [1, 2, 3, 4, 5]
const SIZES = [5, 10, 20, 40, 80]

interface Init {
  store?: CentralStore
  clock?: SimulatedClock
  config?: Partial<CentralConfig>
  limits?: Partial<RiskLimits>
  indexMax?: number
  log?: Log
}

/** An engine over a store with five users, whose numbers are 1 to 5. */
async function engine(init: Init = {}) {
  const { store = memoryStore(), clock = simulatedClock(START), limits = {}, indexMax } = init
  for (const user of USERS) await store.addUser(id(user), 1, 100)
  const logged: string[] = []
  const note = (event: string, fields?: object): void => void logged.push(`${event} ${JSON.stringify(fields)}`)
  const log = { debug: () => {}, info: note, warn: note, error: note } as unknown as Log
  const config = toCentralConfig(init.config ?? {}, demoManifest())
  const bounds = { limits, ...(indexMax !== undefined && { indexMax }) }
  const risk = riskEngine({ store, config, clock, log, stopwatch: () => 0, ...bounds })
  await risk.start()
  return { store, clock, risk, logged, ...steps(store, risk) }
}

function steps(store: CentralStore, risk: RiskEngine) {
  let syncs = 0
  return {
    /** Deposits rows of one user and epoch. */
    async rows(user: number, epoch: number, ...spots: (number | string)[]): Promise<void> {
      const groups = [group(BASE + epoch, ...spots.map((spot) => row(`${epoch}/${spot}`)))]
      await store.deposit(deposit(user, 1_000 * user + syncs++, groups))
      risk.deposited(user, groups)
    },
    async report(user: number, more: Partial<ReportRecord> = {}): Promise<ReportRecord> {
      const known = (await store.reports()).find((item) => item.user === user)
      const dates = { at: START, from: BASE, until: BASE + 40, state: 'active' as const }
      const report = { ...dates, ...known, id: known?.id ?? (await store.nextReport()), user, ...more }
      await store.putReport(report)
      risk.add(report)
      return report
    },
    /** Degrees of a user's marks by epoch and spot. */
    async marks(user: number, spots: readonly string[]): Promise<Record<string, number>> {
      const names = new Map(spots.map((spot) => [hashToKey(hash(spot)), spot]))
      const entries = (await store.marks(user))!.entries
      return Object.fromEntries(entries.map((item) => [names.get(hashToKey(item.hash)), item.degree]))
    },
  }
}

/** 1 met 2, who met 3, who met 4. */
async function chain({ rows, report }: Pick<Awaited<ReturnType<typeof engine>>, 'rows' | 'report'>) {
  await rows(1, 1, 'a')
  await rows(2, 1, 'a')
  await rows(2, 2, 'b')
  await rows(3, 2, 'b')
  await rows(3, 3, 'c')
  await rows(4, 3, 'c')
  return report(1)
}
const CHAIN = ['1/a', '2/b', '3/c']

describe('the risk engine', () => {
  it('a start computes nothing until its delay is over, and marks come afterwards', async () => {
    const first = await engine()
    await chain(first)
    const { store, clock } = first
    let probes = 0
    const counted: CentralStore = {
      ...store,
      probe: (epoch, hashes) => {
        probes++
        return store.probe(epoch, hashes)
      },
    }
    const second = await engine({ store: counted, clock })
    await clock.advanceTo(START + 1_999)
    expect([probes, second.risk.status.waiting]).toEqual([0, 1])
    await clock.advanceTo(START + 60_000)
    expect(probes).toBeGreaterThan(0)
    expect(second.risk.status.waiting).toBe(0)
    expect(await second.marks(3, CHAIN)).toEqual({ '2/b': 2 })
  })

  it('settings with fewer degrees or higher thresholds take back marks after a start, and the old ones give them again', async () => {
    const first = await engine({ config: { degrees: 3 } })
    await chain(first)
    await first.risk.settled()
    const { store } = first
    const after = async (config: Partial<CentralConfig>) => {
      const next = await engine({ store, config })
      await next.risk.settled()
      return Promise.all([2, 3, 4].map((user) => next.marks(user, CHAIN)))
    }
    const [direct, second, third] = [{ '1/a': 1 }, { '2/b': 2 }, { '3/c': 3 }]
    expect(await after({ degrees: 3 })).toEqual([direct, second, third])
    expect(await after({ degrees: 2 })).toEqual([direct, second, {}])
    expect(await after({ degrees: 1 })).toEqual([direct, {}, {}])
    expect(await after({ profile: { ...SEED_PROFILE, thresholds: [33] } })).toEqual([{}, {}, {}])
    expect(await after({ degrees: 3, latencyEpochs: 1 })).toEqual([direct, second, third])
    expect(await after({ degrees: 3, latencyEpochs: 2 })).toEqual([direct, {}, {}])
    expect(await after({ degrees: 3 })).toEqual([direct, second, third])
  })

  it('a degree beyond a bound is quarantined with a log line and a status, and a later start does not try again', async () => {
    const limits = { sources: 2 }
    const first = await engine({ limits, config: { degrees: 3 } })
    await chain(first)
    // Three people are sources of degree 2.
    await first.rows(4, 1, 'a')
    await first.rows(5, 1, 'a')
    await first.risk.settled()
    const quarantined = [{ report: 1, degrees: 1, bound: 'sources' }]
    expect(first.logged).toEqual(['risk.quarantined {"report":1,"degrees":1,"bound":"sources"}'])
    expect(first.risk.status).toMatchObject({ quarantined, failures: 0, waiting: 0 })
    expect(await first.marks(2, CHAIN)).toEqual({ '1/a': 1 })
    expect(await first.marks(3, CHAIN)).toEqual({})
    expect(first.risk.standing(1)).toBe('published')
    // A later contact of the reporter is still marked.
    await first.rows(3, 1, 'a')
    await first.risk.settled()
    expect(await first.marks(3, CHAIN)).toEqual({ '1/a': 1 })

    const second = await engine({ store: first.store, limits, config: { degrees: 3 } })
    await second.risk.settled()
    expect(second.logged).toEqual([])
    expect(second.risk.status).toMatchObject({ quarantined })
    // Other settings may need less, and other dates too.
    const third = await engine({ store: first.store, config: { degrees: 3 } })
    expect(third.risk.status).toMatchObject({ quarantined })
    await third.report(1, { from: BASE + 1 })
    await third.risk.settled()
    expect(third.risk.status).toMatchObject({ quarantined: [] })
    expect(await third.marks(3, CHAIN)).toMatchObject({ '2/b': 2 })
  })

  it('a report whose computation ends with the process three times is quarantined whole, and a stop is no such end', async () => {
    const first = await engine()
    await chain(first)
    const { store } = first
    let isStarted = (): void => {}
    const stuck: CentralStore = {
      ...store,
      async *probe() {
        isStarted()
        await new Promise(() => {})
      },
    }
    const start = async (on: CentralStore) => {
      const started = new Promise<void>((resolve) => {
        isStarted = resolve
      })
      const next = await engine({ store: on })
      void next.risk.settled()
      await started
      return next
    }
    // A stop ends a computation, so that it does not count.
    const slow: CentralStore = {
      ...store,
      async *probe(epoch, hashes) {
        isStarted()
        await new Promise((resolve) => setImmediate(resolve))
        yield* store.probe(epoch, hashes)
      },
    }
    for (let i = 0; i < 5; i++) await (await start(slow)).risk.stop()
    for (let i = 0; i < 3; i++) await start(stuck)
    const last = await engine({ store: stuck })
    await last.risk.settled()
    expect(last.logged).toEqual(['risk.quarantined {"report":1,"degrees":0,"bound":"tries"}'])
    expect(last.risk.standing(1)).toBe('held')
    const again = await engine({ store: stuck })
    await again.risk.settled()
    expect(again.logged).toEqual([])
    expect(again.risk.status.quarantined).toEqual([{ report: 1, degrees: 0, bound: 'tries' }])
    // The control server can retract it.
    await again.risk.review(1, 'retract')
    expect(again.risk.status.quarantined).toEqual([])
  })

  it('a computation that a kill ends goes on behind the last written user, and looks at all users afterwards', async () => {
    const first = await engine()
    await first.report(1)
    await first.rows(1, 1, 'a')
    for (const user of [2, 3, 4, 5]) await first.rows(user, 1, 'a')
    const { store } = first
    const written: number[] = []
    const dying = (writes: number): CentralStore => ({
      ...store,
      async putMarks(changes) {
        if (writes-- <= 0) await new Promise(() => {})
        written.push(...changes.map(({ user }) => user))
        await store.putMarks(changes)
      },
    })
    const killed = await engine({ store: dying(2), limits: { marks: 1 } })
    void killed.risk.settled()
    await expect.poll(async () => (await store.progress())[0]?.partial?.after).toBe(3)
    // Rows of a user that was written already, which only a second look finds.
    await first.rows(2, 2, 'late')
    await first.rows(1, 2, 'late')
    const next = await engine({ store: dying(9), limits: { marks: 1 } })
    await next.risk.settled()
    expect(written).toEqual([2, 3, 4, 5, 2])
    expect(await next.marks(2, ['1/a', '2/late'])).toEqual({ '1/a': 1, '2/late': 1 })
    expect(await store.progress()).toEqual([
      {
        report: 1,
        computed: expect.any(String),
        people: [4],
        publishedAt: START,
        profile: { name: 'seed', version: 0 },
      },
    ])
  })

  it('a failed computation is logged with its code and follows a minute later', async () => {
    const first = await engine()
    await chain(first)
    await first.risk.stop()
    let fails = true
    const failing: CentralStore = {
      ...first.store,
      putMarks: async (changes) => {
        if (fails) throw new Error('no disk')
        await first.store.putMarks(changes)
      },
    }
    const second = await engine({ store: failing, clock: first.clock })
    await first.clock.advanceTo(START + 10_000)
    expect(second.logged).toEqual(['risk.failed {"report":1,"code":"Error"}'])
    expect(second.risk.status).toMatchObject({ failures: 1, waiting: 1 })
    fails = false
    await first.clock.advanceTo(START + 70_000)
    expect(second.risk.status).toMatchObject({ failures: 1, waiting: 0 })
    expect(await second.marks(2, CHAIN)).toEqual({ '1/a': 1 })
  })
})

/** One step of a history of the central peer. */
type Event =
  | { kind: 'row'; row: ModelRow }
  | { kind: 'report'; user: number; from: number }
  | { kind: 'retract'; user: number }
  | { kind: 'compute' }
  | { kind: 'restart'; profile: number }

const PROFILES: readonly RiskProfile[] = [
  { ...SEED_PROFILE, degrees: 3, chainMinutes: 80 },
  SEED_PROFILE,
  { ...SEED_PROFILE, chainMinutes: 20 },
  { ...SEED_PROFILE, degrees: 1 },
  { ...SEED_PROFILE, degrees: 3, latencyEpochs: 1, chainMinutes: 80 },
  { ...SEED_PROFILE, degrees: 3, thresholds: [1, 17] },
  { ...SEED_PROFILE, degrees: 2, thresholds: [17, 40] },
]

const anyUser = fc.constantFrom(...USERS)
const anyMeeting = fc
  .record({
    x: anyUser,
    y: anyUser,
    epoch: fc.nat(4),
    spot: fc.integer({ min: 0, max: 14 }),
    lags: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ x, y, epoch, spot, lags }): Event[] =>
    [
      { user: x, current: (lags & 1) !== 0, next: (lags & 2) !== 0 },
      { user: y, current: true, next: false },
    ].map((who) => ({ kind: 'row', row: { ...who, epoch, spot, size: SIZES[spot % 5]! } })),
  )
const anyReport = fc
  .record({ user: fc.constantFrom(1, 2), from: fc.constantFrom(0, 0, 1, 2) })
  .map((report): Event[] => [{ kind: 'report', ...report }])
const anyOther = fc.oneof(
  fc.constantFrom(1, 2).map((user): Event[] => [{ kind: 'retract', user }]),
  fc.constant<Event[]>([{ kind: 'compute' }]),
  fc.nat(PROFILES.length - 1).map((profile): Event[] => [{ kind: 'restart', profile }]),
)
const anyHistory = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: anyMeeting },
      { weight: 2, arbitrary: anyReport },
      { weight: 3, arbitrary: anyOther },
    ),
    { minLength: 6, maxLength: 24, size: 'max' },
  )
  .map((items) => items.flat())

describe('the marks in the store', () => {
  it('marks equal the rule after any history of deposits, reports, other dates, retractions, settings and restarts', async () => {
    const seen = { marked: 0, lowered: 0, updated: 0, retracted: 0 }
    await fc.assert(
      // Few entries: most reports find no room in the source index.
      fc.asyncProperty(
        anyHistory,
        fc.constantFrom(2, 1_000),
        fc.constantFrom(3, 1_000),
        async (history, marks, indexMax) => {
          const [want, got] = [new Map<string, ModelMark>(), new Map<string, ModelMark>()]
          const { rows, reports, profile, store } = await live(history, { marks }, indexMax, seen)
          for (const { user, from } of reports) {
            for (const [key, mark] of modelMarks(rows, { user, from, until: 40 }, toModel(profile))) {
              const known = want.get(key)
              if (known === undefined || isGraver(mark, known)) want.set(key, mark)
            }
          }
          const spots = new Map(
            rows.map(({ epoch, spot }) => [hashToKey(hash(`${epoch}/${spot}`)), `${epoch}/${spot}`]),
          )
          for (const user of USERS) {
            for (const { hash: own, degree, weight, lag } of (await store.marks(user))!.entries)
              got.set(`${user}/${spots.get(hashToKey(own))}`, { degree, weight, lag })
          }
          expect(new Map([...got].sort())).toEqual(new Map([...want].sort()))
          if (want.size > 0) seen.marked++
        },
      ),
      { numRuns: 150 },
    )
    expect(seen.marked).toBeGreaterThan(60)
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20)
  })
})

async function live(
  history: readonly Event[],
  limits: Partial<RiskLimits>,
  indexMax: number,
  seen: Record<'lowered' | 'updated' | 'retracted', number>,
) {
  let profile = PROFILES[0]!
  let now = await engine({ config: { profile }, limits, indexMax })
  const { store } = now
  const rows: ModelRow[] = []
  const reports = new Map<number, number>()
  for (const event of history) {
    if (event.kind === 'row') {
      const { user, epoch, spot, size, current, next } = event.row
      rows.push(event.row)
      const lags = (current ? LAG_CURRENT : 0) | (next ? LAG_NEXT : 0)
      const groups = [group(BASE + epoch, row(`${epoch}/${spot}`, lags, size))]
      await store.deposit(deposit(user, rows.length, groups))
      now.risk.deposited(user, groups)
    } else if (event.kind === 'report') {
      if (reports.has(event.user)) seen.updated++
      reports.set(event.user, event.from)
      await now.report(event.user, { from: BASE + event.from, state: 'active' })
    } else if (event.kind === 'retract' && reports.delete(event.user)) {
      seen.retracted++
      await now.report(event.user, { state: 'retracted' })
    } else if (event.kind === 'compute') await now.risk.settled()
    else if (event.kind === 'restart') {
      const next = PROFILES[event.profile]!
      if (next.degrees < profile.degrees || next.thresholds[0]! > profile.thresholds[0]!) seen.lowered++
      profile = next
      await now.risk.stop()
      now = await engine({ store, config: { profile }, limits, indexMax })
    }
  }
  await now.risk.settled()
  return { rows, reports: [...reports].map(([user, from]) => ({ user, from })), profile, store }
}

function toModel({ thresholds, ...rule }: RiskProfile) {
  return { ...rule, thresholds: [...thresholds], sizes: { ...rule.sizes } }
}

function isGraver(a: ModelMark, b: ModelMark): boolean {
  if (a.degree !== b.degree) return a.degree < b.degree
  return a.weight !== b.weight ? a.weight > b.weight : a.lag < b.lag
}
