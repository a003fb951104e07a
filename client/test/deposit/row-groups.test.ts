import {
  GROUP_HEAD_BYTES,
  hexToBytes,
  LAG_CURRENT,
  LAG_NEXT,
  ROW_BYTES,
  ROWS_PER_EPOCH_MAX,
  SYNC_GROUPS_MAX,
  SYNC_HEAD_BYTES,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { DepositedRows } from '../../src/deposit/deposited.ts'
import { rowsToGroups } from '../../src/deposit/row-groups.ts'
import type { FixRow } from '../../src/diary/hashed-fix.ts'

const [OLD, NEW] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)]
const LARGE = 1_000_000
const NONE: ReadonlyMap<number, DepositedRows> = new Map()

function row(epoch: number, number: number, lags = LAG_CURRENT, roster = OLD): FixRow {
  const key = number.toString(16).padStart(24, '0')
  return { epoch, roster, hash: hexToBytes(key), key, size: 5, lags }
}

const shape = (groups: ReturnType<typeof rowsToGroups>) => groups.map(({ epoch, rows }) => [epoch, rows.length])

describe('the groups of a batch', () => {
  it('groups ascend by epoch and their rows by hash, each hash once with its lags merged', () => {
    const groups = rowsToGroups([row(8, 3), row(7, 2), row(7, 1), row(7, 2, LAG_NEXT)], NONE, LARGE)
    expect(groups).toEqual([
      {
        epoch: 7,
        roster: OLD,
        rows: [
          { hash: row(7, 1).hash, size: 5, lags: LAG_CURRENT },
          { hash: row(7, 2).hash, size: 5, lags: LAG_CURRENT | LAG_NEXT },
        ],
      },
      { epoch: 8, roster: OLD, rows: [{ hash: row(8, 3).hash, size: 5, lags: LAG_CURRENT }] },
    ])
  })

  it('a deposited row goes again only with a new lag, and then with all its lags', () => {
    const { key, hash } = row(7, 1)
    const deposited = new Map([[7, new Map([[key, { hash, size: 5, lags: LAG_CURRENT }]])]])
    expect(rowsToGroups([row(7, 1)], deposited, LARGE)).toEqual([])
    const [group] = rowsToGroups([row(7, 1, LAG_NEXT)], deposited, LARGE)
    expect(group!.rows).toEqual([{ hash, size: 5, lags: LAG_CURRENT | LAG_NEXT }])
  })

  it('an epoch under two rosters sends only the rows under the roster of the newest fix', () => {
    const groups = rowsToGroups([row(7, 1, LAG_CURRENT, OLD), row(7, 2, LAG_CURRENT, NEW)], NONE, LARGE)
    expect(groups.map(({ roster, rows }) => [roster, rows.length])).toEqual([[NEW, 1]])
  })

  it('an epoch takes at most 480 hashes over all batches, and a new lag of a known hash is free', () => {
    const rows = Array.from({ length: ROWS_PER_EPOCH_MAX + 20 }, (_, i) => row(7, i))
    expect(shape(rowsToGroups(rows, NONE, LARGE))).toEqual([[7, ROWS_PER_EPOCH_MAX]])
    const known: DepositedRows = new Map(rows.slice(0, ROWS_PER_EPOCH_MAX).map((item) => [item.key, item]))
    const later = [...rows.slice(ROWS_PER_EPOCH_MAX), row(7, 0, LAG_NEXT)]
    expect(shape(rowsToGroups(later, new Map([[7, known]]), LARGE))).toEqual([[7, 1]])
  })

  it('rows that do not fit the frame wait, and so do epochs beyond the bound of groups', () => {
    const frame = SYNC_HEAD_BYTES + 2 * GROUP_HEAD_BYTES + 4 * ROW_BYTES
    const rows = [7, 8, 9].flatMap((epoch) => [1, 2, 3].map((i) => row(epoch, i)))
    expect(shape(rowsToGroups(rows, NONE, frame))).toEqual([
      [7, 3],
      [8, 1],
    ])
    expect(shape(rowsToGroups(rows, NONE, frame - ROW_BYTES))).toEqual([[7, 3]])
    const many = Array.from({ length: SYNC_GROUPS_MAX + 1 }, (_, epoch) => row(epoch, 1))
    expect(rowsToGroups(many, NONE, LARGE)).toHaveLength(SYNC_GROUPS_MAX)
  })
})
