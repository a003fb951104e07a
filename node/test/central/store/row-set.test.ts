import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashToKey, mergeRows } from '../../../src/central/store/row-set.ts'
import { row, rows } from './sample.ts'

describe('rows as a set', () => {
  it('hashToKey gives the hash as latin1 text, for twelve bytes and for any other length', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.uint8Array({ maxLength: 40 })),
        (hash) => {
          expect(hashToKey(hash)).toBe(Buffer.from(hash).toString('latin1'))
        },
      ),
    )
  })

  it('mergeRows returns one row of each hash in ascending order, with merged lags and the smaller size', () => {
    const [a, b] = [
      [row(1, 1, 20), row(2, 2)],
      [row(1, 2, 5), row(3, 3)],
    ]
    const merged = rows(row(1, 3, 5), row(2, 2), row(3, 3))
    expect(mergeRows(a, b)).toEqual(merged)
    expect(mergeRows(b, a)).toEqual(merged)
    expect(mergeRows()).toEqual([])
  })
})
