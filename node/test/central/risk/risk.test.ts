import { LAG_CURRENT, LAG_NEXT, type Mark } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RISK_LIMITS, type RiskLimits } from '../../../src/central/risk/limits.ts'
import { type RiskReport, type RiskWatch, type RowSource, reportToMarks } from '../../../src/central/risk/risk.ts'
import {
  assertRiskProfile,
  DEGREES_MAX,
  type RiskProfile,
  SEED_PROFILE,
} from '../../../src/central/risk/risk-profile.ts'
import type { Slices } from '../../../src/central/risk/slices.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { hashToKey } from '../../../src/central/store/row-set.ts'
import { deposit, group, hash, row } from '../store/sample.ts'
import { type ModelRow, type ModelRule, modelMarks } from './risk-model.ts'

const BASE = 1_800

/** A store with these rows; each row is one deposit, in this order. */
async function world(rows: ModelRow[]): Promise<RowSource> {
  const store = memoryStore()
  for (const [i, { user, epoch, spot, size, current, next }] of rows.entries()) {
    const lags = (current ? LAG_CURRENT : 0) | (next ? LAG_NEXT : 0)
    await store.deposit(deposit(user, i, [group(BASE + epoch, row(`${epoch}/${spot}`, lags, size))]))
  }
  return store
}

async function marksOf(
  rows: ModelRow[],
  report: RiskReport,
  profile: RiskProfile,
  limits: Partial<RiskLimits> = {},
): Promise<Map<string, object>> {
  const spots = new Map(rows.map(({ epoch, spot }) => [hashToKey(hash(`${epoch}/${spot}`)), spot]))
  const moved = { ...report, from: BASE + report.from, until: BASE + report.until }
  const marks = new Map<string, object>()
  for (const [user, all] of await compute(await world(rows), moved, profile, limits)) {
    for (const { epoch, hash, ...mark } of all) marks.set(`${user}/${epoch - BASE}/${spots.get(hashToKey(hash))}`, mark)
  }
  return marks
}

/** The marks of all batches, by user. */
async function compute(
  rows: RowSource,
  report: RiskReport,
  profile: RiskProfile,
  limits: Partial<RiskLimits> = {},
  watch?: RiskWatch,
): Promise<Map<number, Mark[]>> {
  const found = new Map<number, Mark[]>()
  const run = { rows, report, profile, limits: { ...RISK_LIMITS, ...limits }, slices: HASTE, ...(watch && { watch }) }
  for await (const batch of reportToMarks(run)) {
    for (const user of batch.users()) {
      expect(found.has(user)).toBe(false)
      found.set(user, batch.marks(user))
    }
  }
  return found
}
/** Never rests. */
const HASTE: Slices = { spend: () => undefined, step: (task) => task() }
const sorted = (marks: Map<string, object>) => [...marks].sort(([a], [b]) => (a < b ? -1 : 1))

/** A spot has one block size, as a hash has. There are few people, epochs and spots, so that people meet. */
const SIZES = [5, 10, 20, 40, 80]
const toRow = (user: number, epoch: number, spot: number, lags: number): ModelRow => {
  return { user, epoch, spot, size: SIZES[spot % 5]!, current: (lags & 1) !== 0, next: (lags & 2) !== 0 }
}
const anyUser = fc.integer({ min: 1, max: 5 })
const anyLags = fc.integer({ min: 1, max: 3 })
const anyRow = fc
  .record({ user: anyUser, epoch: fc.nat(4), spot: fc.nat(4), lags: anyLags })
  .map(({ user, epoch, spot, lags }) => [toRow(user, epoch, spot, lags)])
/** Two people at a spot that hardly anybody else visits. Such meetings make chains. */
const anyMeeting = fc
  .record({ x: anyUser, y: anyUser, epoch: fc.nat(5), spot: fc.integer({ min: 10, max: 40 }), lags: anyLags })
  .map(({ x, y, epoch, spot, lags }) => [toRow(x, epoch, spot, lags), toRow(y, epoch, spot, 1)])
const anyRows = fc
  .array(fc.oneof({ weight: 5, arbitrary: anyMeeting }, { weight: 1, arbitrary: anyRow }), {
    minLength: 6,
    maxLength: 16,
    size: 'max',
  })
  .map((items) => items.flat())
const anyReport = fc.record({
  user: fc.integer({ min: 1, max: 5 }),
  from: fc.constantFrom(0, 0, 1, 2),
  until: fc.constantFrom(3, 5, 6),
})
const anyRule: fc.Arbitrary<RiskProfile & ModelRule> = fc
  .record({
    degrees: fc.constantFrom(1, 2, 3, 3, 4),
    thresholds: fc.array(fc.constantFrom(1, 1, 1, 5, 17, 40), { minLength: 1, maxLength: 3 }),
    latencyEpochs: fc.constantFrom(0, 0, 0, 1, 2),
    same: fc.integer({ min: 1, max: 3 }),
    trail: fc.nat(1),
    chainMinutes: fc.constantFrom(5, 20, 80, 80, 80),
  })
  .map(({ thresholds, ...rule }) => ({
    ...rule,
    thresholds: thresholds.sort((a, b) => a - b),
    name: 'any',
    sizes: { ...SEED_PROFILE.sizes },
  }))

describe('the risk rule', () => {
  it('the rule gives the marks of the reference model over random worlds, reports and profiles', async () => {
    let marked = 0
    let far = 0
    let third = 0
    await fc.assert(
      fc.asyncProperty(anyRows, anyReport, anyRule, async (rows, report, rule) => {
        const got = sorted(await marksOf(rows, report, rule))
        const want = sorted(modelMarks(rows, report, rule))
        expect(got).toEqual(want)
        if (want.length > 0) marked++
        if (want.some(([, mark]) => (mark as { degree: number }).degree > 1)) far++
        if (want.some(([, mark]) => (mark as { degree: number }).degree > 2)) third++
      }),
      { numRuns: 600 },
    )
    // The comparison is worth something only when many worlds have marks, also beyond the first degree.
    expect(marked).toBeGreaterThan(150)
    expect(far).toBeGreaterThan(60)
    expect(third).toBeGreaterThan(3)
  })

  it('marks depend neither on the order of syncs nor on rows that come twice', async () => {
    let marked = 0
    await fc.assert(
      fc.asyncProperty(
        anyRows.chain((rows) =>
          fc.tuple(fc.constant(rows), fc.shuffledSubarray([...rows, ...rows], { minLength: 2 * rows.length })),
        ),
        anyReport,
        anyRule,
        async ([rows, shuffled], report, rule) => {
          const want = sorted(await marksOf(rows, report, rule))
          expect(sorted(await marksOf(shuffled, report, rule))).toEqual(want)
          if (want.length > 0) marked++
        },
      ),
      { numRuns: 150 },
    )
    expect(marked).toBeGreaterThan(30)
  })

  it('further rows only add marks, lower degrees or raise weights', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(anyRows, anyRows, anyReport, anyRule, async (rows, more, report, rule) => {
        const before = (await marksOf(rows, report, rule)) as Map<string, { degree: number; weight: number }>
        const after = (await marksOf([...rows, ...more], report, rule)) as Map<
          string,
          { degree: number; weight: number }
        >
        for (const [key, mark] of before) {
          const later = after.get(key)!
          expect(later.degree).toBeLessThanOrEqual(mark.degree)
          compared++
          if (later.degree === mark.degree) expect(later.weight).toBeGreaterThanOrEqual(mark.weight)
        }
      }),
      { numRuns: 200 },
    )
    expect(compared).toBeGreaterThan(100)
  })

  const reporter = 1
  const met = (x: Partial<ModelRow>, y: Partial<ModelRow>): ModelRow[] => {
    const plain = { epoch: 3, spot: 1, size: 5, current: true, next: false }
    return [
      { ...plain, user: reporter, ...x },
      { ...plain, user: 2, ...y },
    ]
  }
  const report: RiskReport = { user: reporter, from: 0, until: 9 }
  const only = async (rows: ModelRow[], more: Partial<RiskReport> = {}, profile = SEED_PROFILE) =>
    sorted(await marksOf(rows, { ...report, ...more }, profile))

  it('a user in the same block as the reporter gets a mark of lag 0 with double weight', async () => {
    expect(await only(met({}, {}))).toEqual([['2/3/1', { degree: 1, weight: 32, lag: 0 }]])
  })

  it('a user who came one block after the reporter gets a mark of lag 1', async () => {
    expect(await only(met({ current: false, next: true }, {}))).toEqual([['2/3/1', { degree: 1, weight: 16, lag: 1 }]])
  })

  it('a row that is both current and next counts as the same block only', async () => {
    expect(await only(met({ next: true }, { next: true }))).toEqual([['2/3/1', { degree: 1, weight: 32, lag: 0 }]])
  })

  it('a user who left before the reporter came gets no mark', async () => {
    expect(await only(met({}, { current: false, next: true }))).toEqual([])
    expect(await only(met({ current: false, next: true }, { current: false, next: true }))).toEqual([])
  })

  it('a current row counts from the report’s first epoch on, and a next-only row after that epoch', async () => {
    expect(await only(met({}, {}), { from: 3 })).toHaveLength(1)
    expect(await only(met({}, {}), { from: 4 })).toEqual([])
    expect(await only(met({ current: false, next: true }, {}), { from: 3 })).toEqual([])
    expect(await only(met({ current: false, next: true }, {}), { from: 2 })).toHaveLength(1)
  })

  it('a row after the report’s last epoch does not count', async () => {
    expect(await only(met({}, {}), { until: 3 })).toHaveLength(1)
    expect(await only(met({}, {}), { until: 2 })).toEqual([])
  })

  /** 1 met 2 in epoch 3; 2 met 3 in epoch `then`; 3 met 4 in epoch 8. */
  const chain = (then: number): ModelRow[] => {
    const at = (user: number, epoch: number, spot: number): ModelRow => {
      return { user, epoch, spot, size: 5, current: true, next: false }
    }
    return [at(1, 3, 1), at(2, 3, 1), at(2, then, 2), at(3, then, 2), at(3, 8, 3), at(4, 8, 3)]
  }
  const degrees = async (rows: ModelRow[], profile: Partial<RiskProfile>) =>
    (await only(rows, {}, { ...SEED_PROFILE, ...profile })).map(([key, mark]) => [
      key.split('/')[0],
      (mark as { degree: number }).degree,
    ])

  it('a chain of contacts has at most the profile’s degrees and goes forward in time only', async () => {
    expect(await degrees(chain(5), { degrees: 1 })).toEqual([['2', 1]])
    expect(await degrees(chain(5), { degrees: 2 })).toEqual([
      ['2', 1],
      ['3', 2],
    ])
    expect(await degrees(chain(5), { degrees: 3 })).toHaveLength(3)
    expect(await degrees(chain(2), { degrees: 3 })).toEqual([['2', 1]])
    expect(await degrees(chain(3), { degrees: 3 })).toHaveLength(3)
  })

  it('a contact counts as a source only after the profile’s latency', async () => {
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 2 })).toHaveLength(3)
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 3 })).toHaveLength(1)
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 4 })).toEqual([['2', 1]])
  })

  it('a contact’s own risk does not return through the people the contact met', async () => {
    const friends: ModelRow[] = [
      ...chain(5),
      ...chain(5)
        .filter(({ epoch }) => epoch === 5)
        .map((item) => ({ ...item, epoch: 6 })),
    ]
    const marks = await only(friends, {}, { ...SEED_PROFILE, degrees: 3 })
    expect(marks.filter(([key]) => key.startsWith('2/')).map(([key]) => key)).toEqual(['2/3/1'])
  })

  it('the reporter gets no marks from repeated meetings', async () => {
    const home = [3, 4, 5].flatMap((epoch) => met({ epoch }, { epoch }))
    const marks = await only(home, {}, { ...SEED_PROFILE, degrees: 5 })
    expect(marks.map(([key]) => key)).toEqual(['2/3/1', '2/4/1', '2/5/1'])
  })

  /** The reporter was at a spot in a long block, and 2 invents rows for it and for the spot of 3, who is elsewhere. */
  const inventor = (size: number): ModelRow[] => {
    const at = (user: number, epoch: number, spot: number, size: number): ModelRow => {
      return { user, epoch, spot, size, current: true, next: true }
    }
    return [at(1, 3, 1, size), at(2, 3, 1, 5), at(2, 4, 2, 5), at(3, 4, 2, size)]
  }

  it('a match counts as the longer of the two block sizes that its rows name', async () => {
    expect(await only(inventor(80))).toEqual([['2/3/1', { degree: 1, weight: 2, lag: 0 }]])
    const honest = met({ size: 80 }, { size: 80 })
    expect(await only(honest)).toEqual([['2/3/1', { degree: 1, weight: 2, lag: 0 }]])
  })

  it('a risk goes on only in blocks of the profile’s chainMinutes, and only they make marks beyond degree 1', async () => {
    const carrying = { ...SEED_PROFILE, degrees: 3 }
    for (const [size, chainMinutes, degrees] of [
      [5, 5, [1, 2]],
      [10, 5, [1]],
      [10, 10, [1, 2]],
      [80, 40, [1]],
      [80, 80, [1, 2]],
    ] as const) {
      const marks = await only(inventor(size), {}, { ...carrying, chainMinutes })
      expect(marks.map(([, mark]) => (mark as { degree: number }).degree)).toEqual(degrees)
    }
  })

  it('a pair below the threshold gets no mark, and a pair at the threshold gets all its marks', async () => {
    const thrice = [1, 2, 3].flatMap((spot) => met({ spot, epoch: spot }, { spot, epoch: spot }))
    const dose = (threshold: number): RiskProfile => ({ ...SEED_PROFILE, thresholds: [threshold] })
    expect(await only(thrice, {}, dose(97))).toEqual([])
    expect(await only(thrice, {}, dose(96))).toHaveLength(3)
  })

  it('marks are the same in batches of any size', async () => {
    let batched = 0
    await fc.assert(
      fc.asyncProperty(
        anyRows,
        anyReport,
        anyRule,
        fc.integer({ min: 1, max: 6 }),
        async (rows, report, rule, marks) => {
          const want = await marksOf(rows, report, rule)
          expect(sorted(await marksOf(rows, report, rule, { marks }))).toEqual(sorted(want))
          if (want.size > marks) batched++
        },
      ),
      { numRuns: 150 },
    )
    expect(batched).toBeGreaterThan(20)
  })

  it('the first pass finds the targets of all batches, and each later one reads only its own users', async () => {
    const people = Array.from({ length: 20 }, (_, n) => n + 1)
    const rows = people.flatMap((user) =>
      [0, 1].map((epoch) => ({ user, epoch, spot: 0, size: 5, current: true, next: false })),
    )
    const source = await world(rows)
    const reads = { probes: 0, users: 0 }
    const counted: RowSource = {
      ...source,
      probe: (epoch, hashes) => {
        reads.probes++
        return source.probe(epoch, hashes)
      },
      userRows: (epoch, users) => {
        reads.users += users.length
        return source.userRows(epoch, users)
      },
    }
    const report = { user: 1, from: BASE, until: BASE + 9 }
    const rule = { ...SEED_PROFILE, degrees: 1 }
    const want = await compute(counted, report, rule)
    expect([want.size, reads]).toEqual([19, { probes: 2, users: 2 }])
    expect(await compute(counted, report, rule, { marks: 4 })).toEqual(want)
    // The first batch had two users. The others read the rest once, and so does the source.
    expect(reads).toEqual({ probes: 4, users: 2 + 2 + 2 * 17 })
    // Too many targets to remember: each of the ten passes looks for them.
    expect(await compute(counted, report, rule, { marks: 4, arrivals: 5 })).toEqual(want)
    expect(reads.probes).toBeGreaterThan(4 + 2 * 5)
  })

  it('many people at one hash get the marks of the reference model', async () => {
    // A hash with many holders keeps some of them only, so many people meet at one spot here.
    let shared = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMeeting, { minLength: 2, maxLength: 8 }),
        anyReport,
        anyRule,
        async (met, report, rule) => {
          const all = [1, 2, 3, 4, 5].flatMap((user) =>
            [2, 4].map((epoch) => toRow(user, epoch, 5, 1 + ((user + epoch) % 3))),
          )
          const rows = [...met.flat(), ...all]
          const want = sorted(modelMarks(rows, report, { ...rule, degrees: 3 }))
          expect(sorted(await marksOf(rows, report, { ...rule, degrees: 3 }))).toEqual(want)
          if (want.some(([, mark]) => (mark as { degree: number }).degree > 1)) shared++
        },
      ),
      { numRuns: 150 },
    )
    expect(shared).toBeGreaterThan(20)
  })

  it('a degree beyond a bound throws RISK_BOUND with the degree and the bound', async () => {
    const rows = await world(chain(5))
    const report = { user: 1, from: BASE, until: BASE + 9 }
    const profile = { ...SEED_PROFILE, degrees: 3 }
    const dose = { ...profile, thresholds: [17] }
    for (const [limits, degree, bound, rule = profile] of [
      [{ sources: 0 }, 1, 'sources'],
      [{ arrivals: 0 }, 2, 'arrivals'],
      [{ hashes: 1 }, 2, 'hashes'],
      [{ work: 1 }, 1, 'work'],
      [{ pairs: 0 }, 1, 'pairs', dose],
    ] as const) {
      await expect(compute(rows, report, rule, limits)).rejects.toMatchObject({
        code: 'RISK_BOUND',
        data: { degree, bound },
      })
    }
  })

  it('the watch receives sources and hashes before the rule reads the rows of other users', async () => {
    const events: string[] = []
    const source = await world(chain(5))
    const rows: RowSource = {
      ...source,
      probe: (epoch, hashes) => {
        events.push(`probe ${hashes.length / 12}`)
        return source.probe(epoch, hashes)
      },
    }
    const watch: RiskWatch = {
      sources: (users) => events.push(`sources ${[...users]}`),
      hashes: (found) => events.push(`hashes ${found.length / 12}`),
    }
    await compute(rows, { user: 1, from: BASE, until: BASE + 9 }, SEED_PROFILE, {}, watch)
    const read = ['hashes 1', 'probe 1']
    expect(events).toEqual(['sources 1', ...read, 'sources 2', ...read, ...read, ...read])
  })

  it('a risk profile out of bounds is refused with RangeError', () => {
    assertRiskProfile(SEED_PROFILE)
    for (const bad of [
      { degrees: 0 },
      { degrees: DEGREES_MAX + 1 },
      { thresholds: [] },
      { thresholds: [0] },
      { thresholds: [5, 4] },
      { trail: 3 },
      { same: 5_000 },
      { latencyEpochs: -1 },
      { chainMinutes: 0 },
      { chainMinutes: 15 },
      { sizes: { 5: 1 } },
      { sizes: { ...SEED_PROFILE.sizes, 5: 1.5 } },
    ]) {
      expect(() => assertRiskProfile({ ...SEED_PROFILE, ...bad })).toThrow(RangeError)
    }
  })
})
