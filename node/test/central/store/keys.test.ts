import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KINDS, keyNumber, metaKey, rowsKey, rowsPrefix } from '../../../src/central/store/keys.ts'

const anyU32 = fc.nat(0xffffffff)

describe('the keys of the level store', () => {
  it('each kind of entry has a letter of its own', () => {
    expect(new Set(Object.values(KINDS)).size).toBe(Object.keys(KINDS).length)
    expect(Object.values(KINDS).every((letter) => letter.length === 1)).toBe(true)
  })

  it('keys sort by their numbers, and keyNumber reads the numbers back', () => {
    const anyPair = fc.tuple(anyU32, anyU32)
    fc.assert(
      fc.property(anyPair, anyPair, ([a, b], [c, d]) => {
        const [one, two] = [metaKey('marks', a, b), metaKey('marks', c, d)]
        expect(Math.sign(Buffer.compare(one, two))).toBe(Math.sign(a - c || b - d))
        expect([keyNumber(one, 0), keyNumber(one, 1)]).toEqual([a, b])
      }),
    )
  })

  it('a key of rows begins with the prefixes of all rows, of its epoch and of its user', () => {
    const key = rowsKey(1_800, 7, 3)
    for (const prefix of [rowsPrefix(), rowsPrefix(1_800), rowsPrefix(1_800, 7)]) {
      expect(key.subarray(0, prefix.length)).toEqual(prefix)
    }
    expect([keyNumber(key, 0), keyNumber(key, 1), keyNumber(key, 2)]).toEqual([1_800, 7, 3])
  })
})
