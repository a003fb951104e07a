import {
  bytesToHex,
  GROUP_HEAD_BYTES,
  hexToBytes,
  LAG_CURRENT,
  LAG_NEXT,
  ROW_BYTES,
  ROWS_PER_SHAPE_MAX,
  SYNC_GROUPS_MAX,
  SYNC_HEAD_BYTES,
} from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DepositedRows } from '../../src/deposit/deposited.ts'
import { rowsToGroups } from '../../src/deposit/row-groups.ts'
import { addRows } from '../../src/deposit/store-deposited.ts'
import type { FixRow } from '../../src/diary/hashed-fix.ts'

const [OLD, NEW] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)]
const LARGE = 1_000_000
const NONE: ReadonlyMap<number, DepositedRows> = new Map()

function row(epoch: number, number: number, lags = LAG_CURRENT, roster = OLD): FixRow {
  const key = number.toString(16).padStart(24, '0')
  return { epoch, roster, hash: hexToBytes(key), key, size: 5, lags }
}

const wireRow = (n: number) => ({ hash: row(7, n).hash, size: 5, lags: LAG_CURRENT })
const groupsOf = (
  rows: FixRow[],
  deposited: ReadonlyMap<number, DepositedRows>,
  frameBytes: number,
  takeBacks: ReadonlyMap<number, DepositedRows> = NONE,
) => rowsToGroups({ rows, deposited, takeBacks, frameBytes })
const shape = (groups: ReturnType<typeof rowsToGroups>) => groups.map(({ epoch, rows }) => [epoch, rows.length])

describe('the groups of a batch', () => {
  it('groups ascend by epoch and their rows by hash, each hash once with its lags merged', () => {
    const groups = groupsOf([row(8, 3), row(7, 2), row(7, 1), row(7, 2, LAG_NEXT)], NONE, LARGE)
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
    expect(groupsOf([row(7, 1)], deposited, LARGE)).toEqual([])
    const [group] = groupsOf([row(7, 1, LAG_NEXT)], deposited, LARGE)
    expect(group!.rows).toEqual([{ hash, size: 5, lags: LAG_CURRENT | LAG_NEXT }])
  })

  it('an epoch under two rosters sends only the rows under the roster of the newest fix', () => {
    const groups = groupsOf([row(7, 1, LAG_CURRENT, OLD), row(7, 2, LAG_CURRENT, NEW)], NONE, LARGE)
    expect(groups.map(({ roster, rows }) => [roster, rows.length])).toEqual([[NEW, 1]])
  })

  it('an epoch takes at most 48 rows of one size and lag over all batches, and a row with both lags counts twice', () => {
    const rows = Array.from({ length: ROWS_PER_SHAPE_MAX + 20 }, (_, i) => row(7, i))
    expect(shape(groupsOf(rows, NONE, LARGE))).toEqual([[7, ROWS_PER_SHAPE_MAX]])
    const known: DepositedRows = new Map(rows.slice(0, ROWS_PER_SHAPE_MAX).map((item) => [item.key, item]))
    const later = [...rows.slice(ROWS_PER_SHAPE_MAX), row(7, 0, LAG_NEXT), { ...row(7, 99), size: 10 }]
    const [group, ...more] = groupsOf(later, new Map([[7, known]]), LARGE)
    expect(more).toEqual([])
    expect(group!.rows.map(({ size, lags }) => [size, lags])).toEqual([
      [5, LAG_CURRENT | LAG_NEXT],
      [10, LAG_CURRENT],
    ])
  })

  it('the client never sends more of an epoch than the central peer takes, whatever it deposited and takes back', () => {
    const item = fc.record({
      n: fc.nat(150),
      size: fc.constantFrom(5, 80),
      lags: fc.constantFrom(LAG_CURRENT, LAG_NEXT),
    })
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 400 }),
        fc.array(item, { maxLength: 200 }),
        fc.nat(3_000),
        (a, b, space) => {
          // A hash has one size.
          const toRow = ({ n, size, lags }: { n: number; size: number; lags: number }) => ({
            ...row(7, 2 * n + (size === 5 ? 0 : 1), lags),
            size,
          })
          const [first] = groupsOf(a.map(toRow), NONE, LARGE)
          const known = addRows(new Map(), first?.rows ?? [])
          const back: DepositedRows = new Map([...known].filter((_, i) => i % 3 === 0))
          const frame = SYNC_HEAD_BYTES + space
          const [group] = groupsOf(
            b.map(toRow).filter(({ key }) => !back.has(key)),
            new Map([[7, known]]),
            frame,
            new Map([[7, back]]),
          )
          if (group === undefined) return
          expect(GROUP_HEAD_BYTES + group.rows.length * ROW_BYTES).toBeLessThanOrEqual(space)
          const keys = group.rows.map(({ hash }) => bytesToHex(hash))
          expect(keys).toEqual([...new Set(keys)].sort())
          const union = addRows(known, group.rows)
          for (const size of [5, 80]) {
            for (const bit of [LAG_CURRENT, LAG_NEXT]) {
              const count = [...union.values()].filter((it) => it.size === size && (it.lags & bit) !== 0).length
              expect(count).toBeLessThanOrEqual(48)
            }
          }
        },
      ),
    )
  })

  it('rows that no fix has any more go with lag mask 0, alone in a group without a roster or beside new rows', () => {
    const known: DepositedRows = new Map([1, 2].map((n) => [row(7, n).key, row(7, n)]))
    const back = new Map([[7, new Map([[row(7, 1).key, row(7, 1)]])]])
    expect(groupsOf([], new Map([[7, known]]), LARGE, back)).toEqual([
      { epoch: 7, roster: new Uint8Array(8), rows: [{ ...wireRow(1), lags: 0 }] },
    ])
    expect(groupsOf([row(7, 3), row(6, 4)], new Map([[7, known]]), LARGE, back)).toEqual([
      { epoch: 6, roster: OLD, rows: [wireRow(4)] },
      { epoch: 7, roster: OLD, rows: [{ ...wireRow(1), lags: 0 }, wireRow(3)] },
    ])
  })

  it('rows that do not fit the frame wait, and so do epochs beyond the bound of groups', () => {
    const frame = SYNC_HEAD_BYTES + 2 * GROUP_HEAD_BYTES + 4 * ROW_BYTES
    const rows = [7, 8, 9].flatMap((epoch) => [1, 2, 3].map((i) => row(epoch, i)))
    expect(shape(groupsOf(rows, NONE, frame))).toEqual([
      [7, 3],
      [8, 1],
    ])
    expect(shape(groupsOf(rows, NONE, frame - ROW_BYTES))).toEqual([[7, 3]])
    const many = Array.from({ length: SYNC_GROUPS_MAX + 1 }, (_, epoch) => row(epoch, 1))
    expect(groupsOf(many, NONE, LARGE)).toHaveLength(SYNC_GROUPS_MAX)
  })
})
