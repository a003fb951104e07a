import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interner } from '../../src/core/interner.ts'

describe('an interner', () => {
  it('an interner numbers triples as a Map of their texts does', () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffffffff }))
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 500 }), (triples) => {
        const numbers = new Map<string, number>()
        const subject = interner()
        for (const triple of triples) {
          const key = triple.join()
          if (!numbers.has(key)) numbers.set(key, numbers.size)
          expect(subject.intern(...triple)).toBe(numbers.get(key))
        }
        expect(subject.count).toBe(numbers.size)
      }),
    )
  })

  it('an interner distinguishes the parts of a triple and grows far beyond its first size', () => {
    const subject = interner()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20_000; i++) expect(subject.intern(i % 3, i, 7)).toBe(i)
    }
    expect(subject.count).toBe(20_000)
  })
})
