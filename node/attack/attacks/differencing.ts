/**
 * A11: differencing. A party of the spread knows the slips of all people but one, and asks whether that one was in a bucket.
 * PROTOCOL.md §9.4, §9.5. The lab draws the noise that the roles really add, with and without the person. The
 * largest log ratio of an outcome is the empirical ε. Salting has no part in it, so the figures are drawn once.
 */
import { drawNoise, randomBelow } from '@geotrace/core-wasm/spread'
import { noiseOffset } from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'
import type { Attack, Figure } from '../lab/attack.ts'

/** Draws with the person, and as many without. */
const DRAWS = 400_000
/** Rarer outcomes scatter although the law is exact. */
const OFTEN = 10_000
/** Thousandths. */
const EPSILONS = [500, 1_000, 2_000]
const RECOMMENDED = 1_000
const MARGIN = 1.15

export const differencing: Attack = {
  name: 'A11',
  title: 'The published counts, the teller or the mixer tell whether one person was in a cell',
  attacker:
    'the counts of all other people, exactly, and one of: the published spread; all that the teller sees; all that the mixer sees; the authority may help each of them',
  meaning: 'The empirical ε of the party that learns most, when the federation chose ε = 1.',
  limit:
    'ε = 1 shifts the odds of a guess by up to 2.7, and by 7.4 between two places. Four spreads a year add up to 4 ε. Mixer and teller together see the exact counts without names; with the authority they see who was where.',
  isQuick: true,
  async run() {
    drawn ??= drawAll()
    return drawn
  },
}

/** The figures of this process. */
let drawn: Figure | undefined

function drawAll(): Figure {
  const below = randomBelow(systemRandom)
  const found = EPSILONS.map((epsilon) => {
    const offset = noiseOffset(epsilon)
    const dummies = (): number => Math.max(0, offset + drawNoise(below, epsilon))
    // Everything that a party knows of the others is subtracted. The rest is the person and the noise of the others.
    const views = {
      'published spread': () => dummies() - offset + drawNoise(below, epsilon),
      teller: dummies,
      mixer: () => drawNoise(below, epsilon),
    }
    const seen = Object.entries(views).map(([party, draw]) => [party, empiricalEpsilon(draw)] as const)
    return { epsilon, seen, most: Math.max(...seen.map(([, value]) => value)) }
  })
  const holds = found.every(({ epsilon, most }) => most <= (MARGIN * epsilon) / 1_000)
  const more = Object.fromEntries(
    found.flatMap(({ epsilon, seen }) => seen.map(([party, value]) => [`${party} at ε = ${epsilon / 1_000}`, value])),
  )
  const value = found.find(({ epsilon }) => epsilon === RECOMMENDED)!.most
  return { value, unit: 'empirical ε at ε = 1', gate: { rule: 'each party at most 1.15 ε', holds }, more }
}

function empiricalEpsilon(draw: () => number): number {
  const [without, own] = [0, 1].map((person) => {
    const counts = new Map<number, number>()
    for (let i = 0; i < DRAWS; i++) {
      const seen = person + draw()
      counts.set(seen, (counts.get(seen) ?? 0) + 1)
    }
    return counts
  })
  const outcomes = [...new Set([...without!.keys(), ...own!.keys()])]
  const ratios = outcomes.flatMap((outcome) => {
    const [a, b] = [without!.get(outcome) ?? 0, own!.get(outcome) ?? 0]
    return Math.max(a, b) < OFTEN ? [] : [Math.abs(Math.log((a + 0.5) / (b + 0.5)))]
  })
  return Math.max(...ratios)
}
