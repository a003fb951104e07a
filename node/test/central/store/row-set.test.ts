import { BLOCK_SIZES_MIN, bytesToRows, mergeRow, type Row, rowsToBytes } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  freshRows,
  hashToKey,
  keysToHashes,
  mergeRows,
  rowsToHashes,
  rowsWith,
  rowsWithout,
} from '../../../src/central/store/row-set.ts'
import { hash, hashes, row, rows } from './sample.ts'

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
    const [one, other] = [rowsToBytes(rows(...a!)), rowsToBytes(rows(...b!))]
    expect(bytesToRows(mergeRows(one, other))).toEqual(merged)
    expect(bytesToRows(mergeRows(other, one))).toEqual(merged)
    expect(mergeRows()).toHaveLength(0)
  })

  it('merging, choosing and the search for what is new agree with a plain map, for any lists', () => {
    const anyRow = fc.record({
      n: fc.nat(40),
      lags: fc.integer({ min: 1, max: 3 }),
      size: fc.constantFrom(...BLOCK_SIZES_MIN),
    })
    const anyList = fc.uniqueArray(anyRow, { selector: ({ n }) => n })
    const toRows = (items: { n: number; lags: number; size: number }[]) =>
      rows(...items.map(({ n, lags, size }) => row(n, lags, size)))
    const union = (...lists: Row[][]) => {
      const merged = new Map<string, Row>()
      for (const item of lists.flat())
        merged.set(hashToKey(item.hash), mergeRow(merged.get(hashToKey(item.hash)), item))
      return rows(...merged.values())
    }
    fc.assert(
      fc.property(fc.array(anyList, { maxLength: 5 }), anyList, fc.uniqueArray(fc.nat(50)), (lists, added, wanted) => {
        const known = lists.map(toRows)
        expect(bytesToRows(mergeRows(...known.map(rowsToBytes)))).toEqual(union(...known))
        const [held, more] = [union(...known), toRows(added)]
        const { fresh, added: count } = freshRows(rowsToBytes(held), rowsToBytes(more))
        expect(union(held, bytesToRows(fresh))).toEqual(union(held, more))
        const isHeld = (item: Row) => held.some((other) => hashToKey(other.hash) === hashToKey(item.hash))
        expect(count).toBe(more.filter((item) => !isHeld(item)).length)
        expect(freshRows(rowsToBytes(union(held, more)), rowsToBytes(more)).fresh).toHaveLength(0)
        const keys = new Set(wanted.map((n) => hashToKey(hash(n))))
        const isWanted = ({ hash: own }: Row) => keys.has(hashToKey(own))
        expect(keysToHashes(keys)).toEqual(hashes(...wanted))
        expect(bytesToRows(rowsWith(rowsToBytes(held), hashes(...wanted)))).toEqual(held.filter(isWanted))
        expect(bytesToRows(rowsWithout(rowsToBytes(held), hashes(...wanted)))).toEqual(
          held.filter((item) => !isWanted(item)),
        )
        expect(rowsWith(rowsToBytes(held), rowsToHashes(rowsToBytes(held)))).toEqual(rowsToBytes(held))
      }),
    )
  })
})
