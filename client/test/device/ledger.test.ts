import { DAY_MS } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { charge, type Ledger, mergeLedgers } from '../../src/device/ledger.ts'

const charges = fc.array(
  fc.record({ period: fc.integer({ min: 0, max: 600 }), epsilon: fc.integer({ min: 100, max: 4_000 }) }),
)

describe('the ledger of ε', () => {
  it('however a year is cut, its charges stay within four times ε, and a refusal costs nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 60 }), (steps) => {
        let ledger: Ledger = []
        const taken: number[] = []
        let day = 0
        for (const step of steps) {
          day += step
          const next = charge(ledger, { period: day, epsilon: 1_000 }, day * DAY_MS)
          if (next !== undefined) taken.push(day)
          ledger = next ?? ledger
          expect(taken.filter((period) => period > day - 365).length).toBeLessThanOrEqual(4)
        }
      }),
    )
  })

  it('a year ends by proved time only', () => {
    const full = [0, 1, 2, 3].map((period) => ({ period, epsilon: 1_000 }))
    const next = { period: 400, epsilon: 1_000 }
    expect(charge(full, next, 0)).toBeUndefined()
    expect(charge(full, next, 365 * DAY_MS - 1)).toBeUndefined()
    expect(charge(full, next, 365 * DAY_MS)).toEqual([...full.slice(1), next])
  })

  it('an ε that an amendment lowers counts what was spent before', () => {
    const spent = [0, 1].map((period) => ({ period, epsilon: 1_000 }))
    expect(charge(spent, { period: 9, epsilon: 500 }, 0)).toBeUndefined()
    expect(charge(spent.slice(1), { period: 9, epsilon: 500 }, 0)).toHaveLength(2)
  })

  it('two ledgers merge to every period of both with its higher charge', () => {
    fc.assert(
      fc.property(charges, charges, (one, other) => {
        const merged = mergeLedgers(one, other)
        const periods = merged.map(({ period }) => period)
        expect(periods).toEqual([...new Set([...one, ...other].map(({ period }) => period))].sort((a, b) => a - b))
        for (const { period, epsilon } of [...one, ...other])
          expect(merged.find((item) => item.period === period)!.epsilon).toBeGreaterThanOrEqual(epsilon)
        expect(mergeLedgers(merged, one)).toEqual(merged)
      }),
    )
  })
})
