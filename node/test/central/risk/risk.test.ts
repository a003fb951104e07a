import { LAG_CURRENT, LAG_NEXT, type Row } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRONTIER_MAX, type RiskReport, type RowSource, reportToRisk } from '../../../src/central/risk/risk.ts'
import {
  assertRiskProfile,
  DEGREES_MAX,
  type RiskProfile,
  SEED_PROFILE,
} from '../../../src/central/risk/risk-profile.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { hashToKey } from '../../../src/central/store/row-set.ts'
import { deposit, group, hash, row } from '../store/sample.ts'
import { type ModelRow, type ModelRule, modelMarks } from './risk-model.ts'

const BASE = 1_800

/** A store with these rows, one deposit a row, in this order. */
async function world(rows: ModelRow[]): Promise<RowSource> {
  const store = memoryStore()
  for (const [i, { user, epoch, spot, size, current, next }] of rows.entries()) {
    const lags = (current ? LAG_CURRENT : 0) | (next ? LAG_NEXT : 0)
    await store.deposit(deposit(user, i, [group(BASE + epoch, row(`${epoch}/${spot}`, lags, size))]))
  }
  return store
}

async function marksOf(rows: ModelRow[], report: RiskReport, profile: RiskProfile): Promise<Map<string, object>> {
  const spots = new Map(rows.map(({ epoch, spot }) => [hashToKey(hash(`${epoch}/${spot}`)), spot]))
  const moved = { ...report, from: BASE + report.from, until: BASE + report.until }
  const { users, capped } = await reportToRisk(await world(rows), moved, profile)
  expect(capped).toBe(false)
  const marks = new Map<string, object>()
  for (const [user, risk] of users) {
    expect(risk.degree).toBe(Math.min(...risk.marks.map(({ degree }) => degree)))
    for (const { epoch, hash, ...mark } of risk.marks)
      marks.set(`${user}/${epoch - BASE}/${spots.get(hashToKey(hash))}`, mark)
  }
  return marks
}
const sorted = (marks: Map<string, object>) => [...marks].sort(([a], [b]) => (a < b ? -1 : 1))

/** A spot has one size, as a hash has. Few people, epochs and spots, so that they meet. */
const SIZES = [5, 10, 20, 40, 80]
const toRow = (user: number, epoch: number, spot: number, lags: number): ModelRow => {
  return { user, epoch, spot, size: SIZES[spot % 5]!, current: (lags & 1) !== 0, next: (lags & 2) !== 0 }
}
const anyUser = fc.integer({ min: 1, max: 5 })
const anyLags = fc.integer({ min: 1, max: 3 })
const anyRow = fc
  .record({ user: anyUser, epoch: fc.nat(4), spot: fc.nat(4), lags: anyLags })
  .map(({ user, epoch, spot, lags }) => [toRow(user, epoch, spot, lags)])
/** Two people at a spot that hardly anybody else visits: what makes chains. */
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
  })
  .map(({ thresholds, ...rule }) => ({
    ...rule,
    thresholds: thresholds.sort((a, b) => a - b),
    name: 'any',
    sizes: { ...SEED_PROFILE.sizes },
  }))

describe('the risk rule', () => {
  it('is what the plain model says, over random worlds, reports and rules', async () => {
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
    // The worlds say something: many mark, and many mark beyond the first degree.
    expect(marked).toBeGreaterThan(150)
    expect(far).toBeGreaterThan(60)
    expect(third).toBeGreaterThan(3)
  })

  it('does not depend on the order of syncs, nor on rows that come twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRows.chain((rows) =>
          fc.tuple(fc.constant(rows), fc.shuffledSubarray([...rows, ...rows], { minLength: 2 * rows.length })),
        ),
        anyReport,
        anyRule,
        async ([rows, shuffled], report, rule) => {
          expect(sorted(await marksOf(shuffled, report, rule))).toEqual(sorted(await marksOf(rows, report, rule)))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('only ever adds marks, lowers degrees or raises weights when rows are added', async () => {
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
          if (later.degree === mark.degree) expect(later.weight).toBeGreaterThanOrEqual(mark.weight)
        }
      }),
      { numRuns: 200 },
    )
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

  it('marks who was there in the same block, at lag 0 and double weight', async () => {
    expect(await only(met({}, {}))).toEqual([['2/3/1', { degree: 1, weight: 32, lag: 0 }]])
  })

  it('marks who came a block after the reporter, at lag 1', async () => {
    expect(await only(met({ current: false, next: true }, {}))).toEqual([['2/3/1', { degree: 1, weight: 16, lag: 1 }]])
  })

  it('counts a row that was current and next as the same block only', async () => {
    expect(await only(met({ next: true }, { next: true }))).toEqual([['2/3/1', { degree: 1, weight: 32, lag: 0 }]])
  })

  it('does not mark who left before the reporter came', async () => {
    expect(await only(met({}, { current: false, next: true }))).toEqual([])
    expect(await only(met({ current: false, next: true }, { current: false, next: true }))).toEqual([])
  })

  it('counts a current row from the first epoch on, and a next-only row after it', async () => {
    expect(await only(met({}, {}), { from: 3 })).toHaveLength(1)
    expect(await only(met({}, {}), { from: 4 })).toEqual([])
    expect(await only(met({ current: false, next: true }, {}), { from: 3 })).toEqual([])
    expect(await only(met({ current: false, next: true }, {}), { from: 2 })).toHaveLength(1)
  })

  it('counts no row after the report’s last epoch', async () => {
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

  it('goes as many steps as it is told, and only forward in time', async () => {
    expect(await degrees(chain(5), { degrees: 1 })).toEqual([['2', 1]])
    expect(await degrees(chain(5), { degrees: 2 })).toEqual([
      ['2', 1],
      ['3', 2],
    ])
    expect(await degrees(chain(5), { degrees: 3 })).toHaveLength(3)
    expect(await degrees(chain(2), { degrees: 3 })).toEqual([['2', 1]])
    expect(await degrees(chain(3), { degrees: 3 })).toHaveLength(3)
  })

  it('lets a latency pass before a contact counts as a source', async () => {
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 2 })).toHaveLength(3)
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 3 })).toHaveLength(1)
    expect(await degrees(chain(5), { degrees: 3, latencyEpochs: 4 })).toEqual([['2', 1]])
  })

  it('does not send a contact’s own risk back through those they met', async () => {
    const friends: ModelRow[] = [
      ...chain(5),
      ...chain(5)
        .filter(({ epoch }) => epoch === 5)
        .map((item) => ({ ...item, epoch: 6 })),
    ]
    const marks = await only(friends, {}, { ...SEED_PROFILE, degrees: 3 })
    expect(marks.filter(([key]) => key.startsWith('2/')).map(([key]) => key)).toEqual(['2/3/1'])
  })

  it('never marks the reporter, whoever they meet', async () => {
    const home = [3, 4, 5].flatMap((epoch) => met({ epoch }, { epoch }))
    expect((await only(home, {}, { ...SEED_PROFILE, degrees: 5 })).every(([key]) => key.startsWith('2/'))).toBe(true)
  })

  it('marks nothing below the threshold and all matches of the pair at it', async () => {
    const thrice = [1, 2, 3].flatMap((spot) => met({ spot, epoch: spot }, { spot, epoch: spot }))
    const dose = (threshold: number): RiskProfile => ({ ...SEED_PROFILE, thresholds: [threshold] })
    expect(await only(thrice, {}, dose(97))).toEqual([])
    expect(await only(thrice, {}, dose(96))).toHaveLength(3)
  })

  it('says that it is capped when a crowd exceeds its frontier, and computes the rest', async () => {
    const crowd = FRONTIER_MAX + 5
    const rows: RowSource = {
      epochs: async () => [0],
      userRows: async (_, user) => [row(user === 0 ? 'square' : `of ${user}`)],
      probe: async function* (_, hashes) {
        if (!hashes.has(hashToKey(hash('square')))) return
        for (let user = 1; user <= crowd; user++) yield { user, rows: [row('square')] as Row[] }
      },
    }
    const { users, capped } = await reportToRisk(rows, { user: 0, from: 0, until: 0 }, SEED_PROFILE)
    expect(users.size).toBe(crowd)
    expect(capped).toBe(true)
  })

  it('tells its watch of sources and hashes before it reads others’ rows', async () => {
    const events: string[] = []
    const source = await world(chain(5))
    const rows: RowSource = {
      ...source,
      probe: (epoch, hashes) => {
        events.push(`probe ${hashes.size}`)
        return source.probe(epoch, hashes)
      },
    }
    await reportToRisk(rows, { user: 1, from: BASE, until: BASE + 9 }, SEED_PROFILE, {
      sources: (users) => events.push(`sources ${[...users]}`),
      hashes: (keys) => events.push(`hashes ${[...keys].length}`),
    })
    expect(events).toEqual([
      'sources 1',
      'hashes 1',
      'probe 1',
      'sources 2',
      'hashes 1',
      'probe 1',
      'hashes 1',
      'probe 1',
    ])
  })

  it('refuses a profile that it cannot work with', () => {
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
      { sizes: { 5: 1 } },
      { sizes: { ...SEED_PROFILE.sizes, 5: 1.5 } },
    ]) {
      expect(() => assertRiskProfile({ ...SEED_PROFILE, ...bad })).toThrow(RangeError)
    }
  })
})
