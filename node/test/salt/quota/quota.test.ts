import {
  BLOCK_SIZES_MIN,
  blockToEpoch,
  blockToPosition,
  epochToSecretSpan,
  MINUTE_MS,
  SALT_WINDOW_MS,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { xorshift } from '../../../../core-wasm/test/wire/fuzz.ts'
import {
  DEVICE_EVALUATIONS,
  EVALUATION_REFILL_MS,
  evaluationQuota,
  FENCE_FACTOR,
  fenceRule,
  type QuotaState,
  rolling,
  SALT_REFILL_MS,
  STRICT_INTERVAL_MS,
  strict,
} from '../../../src/salt/quota/quota.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const EPOCH = Math.floor(NOW / 4_800_000)
const NONE = new Uint8Array(0)
/** A mask with `count` bits from bit `from` on. */
const mask = (count: number, from = 0): number => ((2 ** count - 1) << from) >>> 0
const ask = (...masks: number[]) => ({ masks: new Map(masks.map((item, i) => [EPOCH + i, item])), digest: NONE })

/** A plain model of the rule: a bucket of 90 tokens that gains one every two minutes; each salt costs one token once. */
class Model {
  tokens = 90
  atMs = NOW
  readonly had = new Set<string>()

  ask(masks: ReadonlyMap<number, number>, nowMs: number): boolean {
    this.tokens = Math.min(90, this.tokens + (nowMs - this.atMs) / 120_000)
    this.atMs = nowMs
    const fresh: string[] = []
    for (const [epoch, bits] of masks) {
      for (let i = 0; i < 31; i++) if ((bits >>> i) & 1 && !this.had.has(`${epoch} ${i}`)) fresh.push(`${epoch} ${i}`)
    }
    if (fresh.length > 0 && fresh.length > this.tokens + 1e-9) return false
    this.tokens -= fresh.length
    for (const item of fresh) this.had.add(item)
    return true
  }
}

/** The salts that fixes from `fromMs` to `toMs` need: every five minutes the current and the next block of each size. */
function saltsOf(fromMs: number, toMs: number): Map<number, number> {
  const masks = new Map<number, number>()
  for (let atMs = fromMs; atMs <= toMs; atMs += 5 * MINUTE_MS) {
    for (const size of BLOCK_SIZES_MIN) {
      for (const lag of [0, 1]) {
        const n = Math.floor(atMs / (size * MINUTE_MS)) + lag
        const epoch = blockToEpoch(size, n)
        masks.set(epoch, ((masks.get(epoch) ?? 0) | (1 << blockToPosition(size, n))) >>> 0)
      }
    }
  }
  return masks
}

describe('the rolling quota', () => {
  it('the rolling quota agrees with a plain model for any questions at any times', () => {
    const question = fc.record({
      waitMs: fc.integer({ min: 0, max: 20 * 60_000 }),
      masks: fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })), {
        minLength: 1,
        maxLength: 3,
        selector: ([epoch]) => epoch,
      }),
    })
    fc.assert(
      fc.property(fc.array(question, { minLength: 1, maxLength: 12 }), (questions) => {
        const model = new Model()
        let state: QuotaState | undefined
        let nowMs = NOW
        for (const { waitMs, masks } of questions) {
          nowMs += waitMs
          // Epochs ahead, so that none closes meanwhile. Another test covers epochs that have closed.
          const asked = new Map(masks.map(([epoch, bits]) => [EPOCH + 10 + epoch, bits]))
          const decision = rolling(state, { masks: asked, digest: NONE }, nowMs)
          expect(decision.granted).toBe(model.ask(asked, nowMs))
          if (decision.granted) state = decision.state
          else {
            expect(rolling(state, { masks: asked, digest: NONE }, nowMs + decision.retryAfterMs).granted).toBe(true)
            expect(rolling(state, { masks: asked, digest: NONE }, nowMs + decision.retryAfterMs - 1).granted).toBe(
              false,
            )
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('the rolling quota grants ninety salts at once and not ninety-one', () => {
    const ninety = rolling(undefined, ask(mask(31), mask(31), mask(28)), NOW)
    expect(ninety).toMatchObject({ granted: true, cost: 90 })
    expect(rolling(undefined, ask(mask(31), mask(31), mask(29)), NOW)).toEqual({
      granted: false,
      retryAfterMs: SALT_REFILL_MS,
    })
    expect(ninety.granted && rolling(ninety.state, ask(mask(31), mask(31), mask(29)), NOW).granted).toBe(false)
    expect(ninety.granted && rolling(ninety.state, ask(mask(31), mask(31), mask(29)), NOW + 120_000).granted).toBe(true)
  })

  it('a salt given before is free, even with a spent quota, until its epoch has closed', () => {
    const spent = rolling(undefined, ask(mask(31), mask(31), mask(28)), NOW)
    if (!spent.granted) throw new Error('expected to be granted')
    expect(rolling(spent.state, ask(mask(31), mask(10)), NOW)).toMatchObject({ granted: true, cost: 0 })
    const later = NOW + 2 * SALT_WINDOW_MS
    expect(rolling(spent.state, ask(mask(31)), later)).toMatchObject({ granted: true, cost: 31 })
  })

  it('five hundred devices of one address that sync once an hour for three days are never refused', () => {
    const random = xorshift(20_261_122)
    const devices = Array.from({ length: 500 }, () => NOW + random(60 * MINUTE_MS))
    const asks = devices
      .flatMap((firstMs) => Array.from({ length: 72 }, (_, hour) => firstMs + hour * 60 * MINUTE_MS))
      .sort((a, b) => a - b)
    const needs = new Map<number, Map<number, number>>()
    let state: QuotaState | undefined
    let [granted, paid] = [0, 0]
    for (const nowMs of asks) {
      const lastFix = Math.floor(nowMs / (5 * MINUTE_MS)) * 5 * MINUTE_MS
      // The fixes of the last two hours, because some of the earlier hour may not have got through.
      const masks = needs.get(lastFix) ?? saltsOf(lastFix - 120 * MINUTE_MS, lastFix)
      needs.set(lastFix, masks)
      const decision = rolling(state, { masks, digest: NONE }, nowMs)
      if (!decision.granted) continue
      state = decision.state
      granted++
      paid += decision.cost
    }
    expect(granted).toBe(500 * 72)
    // All devices together cost no more than one device alone: 31 salts an epoch.
    expect(paid).toBeLessThanOrEqual((Math.ceil((74 * 60) / 80) + 2) * 31)
    // A requester at the same address that asks for salts of other times is charged to all of them.
    const greedy = rolling(state, { masks: new Map([[EPOCH + 90, 2 ** 31 - 1]]), digest: NONE }, asks.at(-1)!)
    expect(greedy.granted && greedy.cost).toBe(31)
  })

  it('a spent quota refills one salt in two minutes even after the clock stepped back', () => {
    const spent = rolling(undefined, ask(mask(31), mask(31), mask(28)), NOW)
    if (!spent.granted) throw new Error('expected to be granted')
    const decision = rolling(spent.state, ask(0, 0, 0, mask(1)), NOW - SALT_WINDOW_MS)
    expect(decision).toEqual({ granted: false, retryAfterMs: SALT_REFILL_MS })
  })
})

describe('the strict quota', () => {
  it('the strict quota agrees with a plain model: one request an hour, the same request granted again', () => {
    const question = fc.record({
      waitMs: fc.integer({ min: 0, max: 50 * 60_000 }),
      digest: fc.integer({ min: 0, max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(question, { minLength: 1, maxLength: 20 }), (questions) => {
        let state: QuotaState | undefined
        let last: { atMs: number; digest: number } | undefined
        let nowMs = NOW
        for (const { waitMs, digest } of questions) {
          nowMs += waitMs
          const isNew = last === undefined || nowMs - last.atMs >= STRICT_INTERVAL_MS
          const decision = strict(state, { masks: new Map(), digest: Uint8Array.of(digest) }, nowMs)
          expect(decision.granted).toBe(isNew || last?.digest === digest)
          if (!decision.granted) expect(decision.retryAfterMs).toBe(last!.atMs + STRICT_INTERVAL_MS - nowMs)
          if (decision.granted) state = decision.state
          if (isNew) last = { atMs: nowMs, digest }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('the fence around prefixes', () => {
  const decide = (questions: readonly ReturnType<typeof ask>[]): string[] => {
    let state: QuotaState | undefined
    return questions.map((question) => {
      const decision = fenceRule(state, question, NOW)
      if (decision.granted) state = decision.state
      return decision.granted ? `cost ${decision.cost}` : `wait ${decision.retryAfterMs}`
    })
  }

  it('a fence grants eight times the distinct salts of a prefix and no more', () => {
    const distinct = Array.from({ length: FENCE_FACTOR * 3 }, (_, i) => ({
      masks: new Map([[EPOCH + i, mask(30)]]),
      digest: NONE,
    }))
    const one = { masks: new Map([[EPOCH, mask(1, 30)]]), digest: NONE }
    expect(decide([...distinct, one, ask()])).toEqual([
      ...distinct.map(() => 'cost 30'),
      `wait ${SALT_REFILL_MS / FENCE_FACTOR}`,
      'cost 0',
    ])
  })

  it('a fence grants 256 prefixes of one mobile carrier their equal hourly requests', () => {
    // In the sum these are 256 × 36 salts, of which the fence once granted 20 × 36.
    const hourly = ask(mask(31), mask(5))
    expect(decide(Array(256).fill(hourly))).toEqual(['cost 36', ...Array(255).fill('cost 0')])
  })
})

describe('the quota of evaluations', () => {
  /** A plain model: a bucket of 432 tokens for each device that gains 40 an hour for each device. */
  it('the quota of evaluations agrees with a plain model for any batches at any times', () => {
    const ask = fc.record({
      waitMs: fc.integer({ min: 0, max: 3 * 3_600_000 }),
      count: fc.integer({ min: 1, max: 180 }),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(ask, { maxLength: 40 }), (devices, asks) => {
        const [{ rule }] = evaluationQuota(devices).buckets({ subnet: 'a', prefix: 'a', fence: 'a' }) as [
          ReturnType<ReturnType<typeof evaluationQuota>['buckets']>[number],
        ]
        let state: QuotaState | undefined
        let [tokens, nowMs] = [432 * devices, NOW]
        for (const { waitMs, count } of asks) {
          nowMs += waitMs
          tokens = Math.min(432 * devices, tokens + (waitMs * 40 * devices) / 3_600_000)
          const decision = rule(state, { epochs: [0], batch: count, ceiling: 1 }, nowMs)
          // Costs are rounded up to whole milliseconds, so the rule may refuse a little earlier than the model.
          const slack = (asks.length * devices) / 90_000
          if (decision.granted) {
            expect(tokens).toBeGreaterThanOrEqual(count - 1e-6)
            tokens -= count
            state = decision.state
          } else expect(tokens).toBeLessThan(count + slack)
        }
      }),
      { numRuns: 300 },
    )
  })

  const asks = (batch: number) => ({ epochs: [0], batch, ceiling: 1 })

  it('a refused requester is granted after the announced time and no earlier', () => {
    const [{ rule }] = evaluationQuota(1).buckets({ subnet: 'a', prefix: 'a', fence: 'a' }) as [
      ReturnType<ReturnType<typeof evaluationQuota>['buckets']>[number],
    ]
    const spent = rule(undefined, asks(DEVICE_EVALUATIONS), NOW)
    if (!spent.granted) throw new Error('expected to be granted')
    const refused = rule(spent.state, asks(12), NOW)
    expect(refused).toEqual({ granted: false, retryAfterMs: 12 * EVALUATION_REFILL_MS })
    const { retryAfterMs } = refused as { retryAfterMs: number }
    expect(rule(spent.state, asks(12), NOW + retryAfterMs).granted).toBe(true)
    expect(rule(spent.state, asks(12), NOW + retryAfterMs - 1).granted).toBe(false)
  })

  it('the last bucket is that of the shard: it counts each epoch alone, and forgets it with its secrets', () => {
    const names = { subnet: '6:a:b:c:d00/64', prefix: '6:a:b:c:d00', fence: '6:a:b:c' }
    const buckets = evaluationQuota(1).buckets(names)
    expect(buckets.map(({ name }) => name)).toEqual([names.subnet, names.prefix, names.fence, 'everybody'])
    const { rule } = buckets.at(-1)!
    const epoch = timeToEpoch(NOW)
    const question = (epochs: number[], batch: number) => ({ epochs, batch, ceiling: 100 })
    const first = rule(undefined, question([epoch, epoch + 1], 60), NOW)
    if (!first.granted) throw new Error('expected to be granted')
    expect(rule(first.state, question([epoch], 40), NOW).granted).toBe(true)
    expect(rule(first.state, question([epoch], 41), NOW)).toMatchObject({ granted: false })
    expect(rule(first.state, question([epoch - 1, epoch], 41), NOW)).toMatchObject({ granted: false })
    const later = rule(first.state, question([epoch + 1], 40), epochToSecretSpan(epoch).to)
    expect(later.granted && [...later.state.had]).toEqual([[epoch + 1, 100]])
    // A damaged entry has a time, and counts as full until then.
    const damaged = { spentUntilMs: NOW + 5_000, had: new Map(), digest: new Uint8Array(0) }
    expect(rule(damaged, question([epoch], 1), NOW)).toEqual({ granted: false, retryAfterMs: 5_000 })
  })
})
