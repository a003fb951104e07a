import { describe, expect, it } from 'vitest'
import { loadCore } from '../src/index.ts'
import {
  conformance,
  conformanceCases,
  type Implementation,
  reference,
  registerConformance,
} from '../src/testing/index.ts'
import { refusals } from '../src/testing/refusals.ts'

const oracle = reference()
const simd = await loadCore({ build: 'simd' })
registerConformance('the SIMD build', simd, oracle, { describe, it })
registerConformance('the scalar build', await loadCore({ build: 'scalar' }), oracle, { describe, it })
registerConformance('the reference', oracle, simd, { describe, it })

describe('the conformance suite', () => {
  it('the conformance suite asks only for refusals that the reference gives', () => {
    for (const [what, call] of refusals()) expect(() => call(oracle), what).toThrow(/expected|is not what/)
  })

  it('the conformance suite notices one wrong bit of a hash, two swapped corners and a missing refusal', () => {
    const found = (title: string, wrong: Partial<Implementation>) =>
      conformanceCases(oracle)
        .find((each) => each.title.startsWith(title))!
        .run({ ...simd, ...wrong }).length
    expect(
      found('the core hashes a risk point', { riskHash: (...args) => simd.riskHash(...args).with(11, 0) }),
    ).toBeGreaterThan(290)
    const swapped: Implementation['fixToCells'] = (lat, lng) => {
      const [a, b, c] = simd.fixToCells(lat, lng)
      return [a, c, b]
    }
    expect(found('the core finds the cells', { fixToCells: swapped })).toBe(400)
    expect(found('the core refuses', { regionToShard: (region, shards) => region % shards })).toBeGreaterThan(5)
    expect(conformance(simd, oracle)).toEqual([])
  })
})
