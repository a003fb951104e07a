/** The noise against its exact law, on seeded bytes. */
import { describe, expect, it } from 'vitest'
import { drawNoise, randomBelow, shuffleItems } from '../../src/spread/index.ts'
import { noiseOffset } from '../../src/wire/index.ts'
import { chiSquared, seededRandom } from './seeded.ts'

const DRAWS = 100_000
const times = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw)
const counts = (values: readonly number[], from: number, to: number): number[] => {
  const bins = new Array<number>(to - from + 1).fill(0)
  for (const value of values) bins[Math.min(to, Math.max(from, value)) - from]!++
  return bins
}

describe('the noise of a spread', () => {
  for (const [epsilon, limit] of [
    [500, 16],
    [1_000, 9],
    [2_000, 5],
    [1_234, 7],
  ] as const) {
    it(`the noise of ε = ${epsilon / 1_000} follows the discrete Laplace law`, () => {
      const below = randomBelow(seededRandom(epsilon))
      const a = Math.exp(-epsilon / 1_000)
      const law = (z: number): number => ((1 - a) / (1 + a)) * a ** Math.abs(z)
      // The two outer bins have the tails.
      const expected = times(2 * limit + 1, () => 0).map((_, i) => {
        const z = i - limit
        return DRAWS * (Math.abs(z) === limit ? a ** limit / (1 + a) : law(z))
      })
      const drawn = times(DRAWS, () => drawNoise(below, epsilon))
      // With so many degrees of freedom the statistic exceeds three times its mean in none of a million runs.
      expect(chiSquared(counts(drawn, -limit, limit), expected)).toBeLessThan(3 * 2 * limit)
      const variance = drawn.reduce((sum, z) => sum + z * z, 0) / DRAWS
      expect(variance / ((2 * a) / (1 - a) ** 2)).toBeCloseTo(1, 1)
    })
  }

  it('numbers below a bound are uniform, and each comes from bytes of the caller alone', () => {
    for (const n of [1, 2, 3, 7, 255, 256, 257, 1_000, 65_537]) {
      const below = randomBelow(seededRandom(n))
      const drawn = times(20_000, () => below(n))
      expect(Math.max(...drawn)).toBeLessThan(n)
      const bins = Math.min(n, 8)
      const binned = counts(
        drawn.map((value) => Math.floor((value * bins) / n)),
        0,
        bins - 1,
      )
      const expected = binned.map(
        (_, i) => (20_000 * (Math.ceil(((i + 1) * n) / bins) - Math.ceil((i * n) / bins))) / n,
      )
      if (n > 1) expect(chiSquared(binned, expected)).toBeLessThan(30)
    }
    const fixed = (length: number) => new Uint8Array(length).fill(0x12)
    expect([1, 18, 19, 256, 257, 0x10000].map(randomBelow(fixed))).toEqual([0, 0, 18, 18, 0x1212 % 257, 0x1212])
    // Bytes above the last multiple of n are drawn again, so that no number is more frequent.
    const stream = [0xff, 0xfe, 0x03]
    const next = randomBelow((length) => Uint8Array.from({ length }, (_, i) => stream[i] ?? 0))
    expect(next(127)).toBe(3)
  })

  it('a shuffle gives every place to every item equally often, and loses none', () => {
    const below = randomBelow(seededRandom(11))
    const places = new Array<number>(17).fill(0)
    for (let run = 0; run < 20_000; run++) {
      const items = Array.from({ length: 17 }, (_, i) => i)
      shuffleItems(below, items)
      expect(new Set(items).size).toBe(17)
      places[items.indexOf(0)]!++
    }
    expect(
      chiSquared(
        places,
        places.map(() => 20_000 / 17),
      ),
    ).toBeLessThan(45)
  })

  it('the offset of the dummies is that of the design, and no rounding of another engine can move it', () => {
    expect([500, 1_000, 2_000].map(noiseOffset)).toEqual([27, 14, 7])
    for (let epsilon = 100; epsilon <= 4_000; epsilon++) {
      const a = Math.exp(-epsilon / 1_000)
      const [at, before] = [noiseOffset(epsilon), noiseOffset(epsilon) - 1].map((o) => a ** o / (1 + a) / 1e-6)
      expect(at).toBeLessThanOrEqual(1)
      expect(before).toBeGreaterThan(1)
      // Engines differ in the last bits only.
      expect(Math.min(1 - at!, before! - 1)).toBeGreaterThan(1e-9)
    }
  })
})
