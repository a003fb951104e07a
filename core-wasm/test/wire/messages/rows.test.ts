import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BLOCK_SIZES_MIN,
  LAG_CURRENT,
  LAG_NEXT,
  mergeRow,
  metaToRow,
  ROWS_PER_EPOCH_MAX,
  ROWS_PER_SHAPE_MAX,
  rowToMeta,
  ShapeCounts,
} from '../../../src/wire/index.ts'

const hash = new Uint8Array(12)
const size = fc.constantFrom(...BLOCK_SIZES_MIN)

describe('a row', () => {
  it('a row of each size and lag mask, 0 included, has its own byte, and no other byte is a row', () => {
    const bytes = BLOCK_SIZES_MIN.flatMap((item) => [0, 1, 2, 3].map((lags) => rowToMeta({ size: item, lags })))
    expect(new Set(bytes).size).toBe(20)
    for (let meta = 0; meta < 256; meta++) {
      const row = metaToRow(hash, meta)
      expect(row === undefined).toBe(!bytes.includes(meta))
      if (row !== undefined) expect(rowToMeta(row)).toBe(meta)
    }
    for (const bad of [
      { size: 6, lags: 1 },
      { size: 5, lags: 4 },
      { size: 5, lags: -1 },
    ]) {
      expect(() => rowToMeta(bad)).toThrow(RangeError)
    }
  })

  it('rows of one hash merge in any order to the smallest size and all lags', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ size, lags: fc.integer({ min: 1, max: 3 }) }), { minLength: 1 }), (rows) => {
        const merged = rows.reduce<ReturnType<typeof mergeRow> | undefined>(
          (known, row) => mergeRow(known, { hash, ...row }),
          undefined,
        )
        expect(merged!.size).toBe(Math.min(...rows.map((row) => row.size)))
        expect(merged!.lags).toBe(rows.reduce((mask, { lags }) => mask | lags, 0))
      }),
    )
  })
})

describe('rows by shape', () => {
  it('a row is counted exactly while each of its shapes has fewer than 48 rows', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ size, lags: fc.integer({ min: 0, max: 3 }) }), { maxLength: 900 }), (rows) => {
        const counts = new ShapeCounts()
        const taken: { size: number; lags: number }[] = []
        for (const row of rows) {
          const isFull = [LAG_CURRENT, LAG_NEXT].some(
            (bit) =>
              (row.lags & bit) !== 0 &&
              taken.filter((item) => item.size === row.size && (item.lags & bit) !== 0).length >= 48,
          )
          expect(counts.add(row)).toBe(!isFull)
          if (!isFull && row.lags > 0) taken.push(row)
        }
        expect(taken.length).toBeLessThanOrEqual(ROWS_PER_EPOCH_MAX)
      }),
      { numRuns: 20 },
    )
  })

  it('the fixes of one person fill every shape of an epoch exactly, with those of the epoch before that spill into it', () => {
    const epoch = 7
    const counts = new ShapeCounts()
    const filled = new Map<string, number>()
    for (let block = (epoch - 1) * 16; block < (epoch + 1) * 16; block++) {
      for (const minutes of BLOCK_SIZES_MIN) {
        for (const lags of [LAG_CURRENT, LAG_NEXT]) {
          const n = Math.floor((block * 5) / minutes) + (lags - 1)
          if (Math.floor((n * minutes) / 80) !== epoch) continue
          // Three layers, and nowhere twice: the most rows that a fix can have.
          for (let layer = 0; layer < 3; layer++) {
            expect(counts.add({ size: minutes, lags })).toBe(true)
            const shape = `${minutes}/${lags}`
            filled.set(shape, (filled.get(shape) ?? 0) + 1)
          }
        }
      }
    }
    expect([...filled.values()]).toEqual(new Array(10).fill(ROWS_PER_SHAPE_MAX))
    for (const minutes of BLOCK_SIZES_MIN) {
      for (const lags of [LAG_CURRENT, LAG_NEXT]) expect(counts.add({ size: minutes, lags })).toBe(false)
    }
  })
})
