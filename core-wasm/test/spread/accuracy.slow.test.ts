/**
 * How well a spread shows where people were. Invented towns, and the work of both roles without seals.
 * `npm run test:slow -- spread/accuracy` prints the figures. Attack A11 of the lab measures how much it shows of one person.
 */
import { describe, expect, it } from 'vitest'
import { counting, mixing, randomBelow, spreadThreshold } from '../../src/spread/index.ts'
import { seededRandom } from './seeded.ts'
import { peopleInCells } from './towns.ts'

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length
const finish = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
/** A slip or item without seals: bucket u32, number u32. */
const plainItem = (bucket: number, n: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setUint32(0, bucket)
  new DataView(bytes.buffer).setUint32(4, n)
  return bytes
}

/** The published counts of these exact ones, bucket 0 left out. */
function publish(exact: readonly number[], epsilon: number, seed: number): number[] {
  let n = 0
  const slips = exact.flatMap((count, i) => Array.from({ length: count }, () => plainItem(i + 1, n++)))
  const buckets = exact.length
  const mixed = finish(
    mixing({
      ...{ slips, buckets, epsilon, minimum: 100, below: randomBelow(seededRandom(seed)) },
      open: (slip) => slip,
      seal: (bucket) => plainItem(bucket, n++),
    }),
  )
  const open = (item: Uint8Array): number => new DataView(item.buffer, item.byteOffset).getUint32(0)
  const below = randomBelow(seededRandom(seed + 1_000_000))
  return finish(counting({ items: mixed.items, open, buckets, epsilon, below })).counts.slice(1)
}

interface Quality {
  recall: number
  shown: number
  falseHot: number
  rmse: number
}
/** Recall of the top k, cells shown from the threshold on, those with less than half of it in truth, and the error. */
function judge(exact: readonly number[], noisy: readonly number[], epsilon: number, k: number): Quality {
  const top = (counts: readonly number[]): number[] =>
    [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, k)
  const threshold = spreadThreshold(epsilon, exact.length)
  const found = new Set(top(noisy))
  const shown = [...noisy.keys()].filter((i) => noisy[i]! >= threshold)
  return {
    recall: top(exact).filter((i) => found.has(i)).length / k,
    shown: shown.length,
    falseHot: shown.filter((i) => exact[i]! < threshold / 2).length,
    rmse: Math.sqrt(mean(exact.map((count, i) => (noisy[i]! - count) ** 2))),
  }
}
function study(people: number, resolution: number, epsilon: number, k: number, seeds: number): Quality {
  const all = Array.from({ length: seeds }, (_, i) => {
    const exact = peopleInCells(i + 1, people, resolution)
    return judge(exact, publish(exact, epsilon, i + 1), epsilon, k)
  })
  const average = (name: keyof Quality): number => mean(all.map((item) => item[name]))
  return { recall: average('recall'), shown: average('shown'), falseHot: average('falseHot'), rmse: average('rmse') }
}
function print(what: string, figures: object): void {
  process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`)
}

describe('the accuracy of a spread at ε = 1', () => {
  it('10,000 people in 2,401 cells: recall of the top 100 ≥ 85 %, at most 5 false cells, rmse ≤ 2.1', () => {
    const quality = study(10_000, 8, 1_000, 100, 5)
    print('10,000 people, 2,401 cells, mean of 5 towns', quality)
    expect(quality.recall).toBeGreaterThanOrEqual(0.85)
    expect(quality.falseHot).toBeLessThanOrEqual(5)
    expect(quality.rmse).toBeLessThanOrEqual(2.1)
  }, 120_000)

  it('300 people in 49 cells: recall of the top 5 ≥ 75 %', () => {
    const quality = study(300, 6, 1_000, 5, 20)
    print('300 people, 49 cells, mean of 20 towns', quality)
    expect(quality.recall).toBeGreaterThanOrEqual(0.75)
  }, 240_000)
})
