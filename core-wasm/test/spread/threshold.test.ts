/** Threshold and deviation against the law of two noises, summed term by term. */
import { describe, expect, it } from 'vitest'
import { spreadDeviation, spreadThreshold } from '../../src/spread/index.ts'

/** P(Z₁ + Z₂ = s) for s = −range … range, by convolution. */
function lawOfTwo(epsilon: number, range: number): number[] {
  const a = Math.exp(-epsilon / 1_000)
  const one = (z: number): number => ((1 - a) / (1 + a)) * a ** Math.abs(z)
  return Array.from({ length: 2 * range + 1 }, (_, i) => {
    let sum = 0
    for (let z = -2 * range; z <= 2 * range; z++) sum += one(z) * one(i - range - z)
    return sum
  })
}

describe('the threshold of a spread', () => {
  it('thresholds are those of the design', () => {
    expect([2_401, 343, 49].map((buckets) => spreadThreshold(1_000, buckets))).toEqual([10, 8, 6])
  })

  it('at the threshold a map shows at most half a cell out of nothing, and one below it more', () => {
    const range = 300
    for (const epsilon of [250, 500, 1_000, 1_700, 4_000]) {
      const law = lawOfTwo(epsilon, range)
      const tail = (t: number): number => law.slice(t + range).reduce((sum, p) => sum + p, 0)
      for (const buckets of [7, 49, 2_401, 12_005]) {
        const t = spreadThreshold(epsilon, buckets)
        expect(buckets * tail(t)).toBeLessThanOrEqual(0.5)
        if (t > 1) expect(buckets * tail(t - 1)).toBeGreaterThan(0.5)
      }
      const variance = law.reduce((sum, p, i) => sum + p * (i - range) ** 2, 0)
      expect(spreadDeviation(epsilon)).toBeCloseTo(Math.sqrt(variance), 5)
    }
  })
})
