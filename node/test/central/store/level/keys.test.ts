import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  blobKey,
  entryKey,
  isBlob,
  isEntry,
  KINDS,
  keyNumber,
  metaKey,
} from '../../../../src/central/store/level/keys.ts'

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

  it('the key of an entry begins with the prefixes of all entries and of its user, and blobs sort by their numbers', () => {
    const key = entryKey(7, 3)
    for (const prefix of [entryKey(), entryKey(7)]) expect(key.subarray(0, prefix.length)).toEqual(prefix)
    expect([keyNumber(key, 0), keyNumber(key, 1)]).toEqual([7, 3])
    expect([isEntry(key), isBlob(key), isEntry(blobKey(7)), isBlob(blobKey(7))]).toEqual([true, false, false, true])
    expect(Buffer.compare(blobKey(255), blobKey(256))).toBeLessThan(0)
  })
})
