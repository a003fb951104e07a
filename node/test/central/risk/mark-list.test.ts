import type { Mark } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareSeverity,
  isAhead,
  mergeMarks,
  pageMarks,
  renewMarks,
  updateMarks,
} from '../../../src/central/risk/mark-list.ts'
import type { MarkList } from '../../../src/central/store/central-store.ts'
import { hashToKey } from '../../../src/central/store/row-set.ts'
import { mark } from '../store/sample.ts'

const EMPTY: MarkList = { generation: 5, last: 0, entries: [] }
const START = { generation: 0, cursor: 0 }
const key = ({ epoch, hash }: Mark) => `${epoch}/${hashToKey(hash)}`

/** A device that reads page by page, as client/src/exposures/marks.ts does; `held` has the marks it knows. */
function reader() {
  let read = START
  const held = new Map<string, Mark>()
  const seen = new Set<string>()
  return {
    held,
    page(list: MarkList, max: number): number {
      const page = pageMarks(list, read, max)
      if (page.generation !== read.generation) {
        held.clear()
        seen.clear()
      }
      for (const item of page.marks) {
        const text = toText(item)
        expect(seen.has(text)).toBe(false)
        seen.add(text)
        held.set(key(item), item)
      }
      read = { generation: page.generation, cursor: page.cursor }
      return page.left
    },
  }
}
const toText = (mark: Mark) => `${key(mark)} ${mark.degree} ${mark.weight} ${mark.lag}`
const shown = (marks: Iterable<Mark>) => [...marks].map(toText).sort()

describe('the mark list of a user', () => {
  it('a mark list orders marks by degree, then weight, then epoch and hash', () => {
    const marks = [mark(3, 1, 2, 32), mark(2, 2, 1, 16), mark(1, 3, 1, 32), mark(0, 4, 1, 32)]
    const { entries } = updateMarks(EMPTY, marks)
    expect(entries.map(({ sequence, epoch }) => [sequence, epoch])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
    ])
    expect([...marks].sort(compareSeverity).map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3])
  })

  it('a raised mark moves to the end of the list and leaves its old place', () => {
    const before = updateMarks(EMPTY, [mark(1, 1, 2), mark(1, 2, 2)])
    const after = updateMarks(before, [mark(1, 1, 1), mark(1, 2, 2)])
    expect(after.generation).toBe(before.generation)
    expect(after.entries.map(({ sequence, degree }) => [sequence, degree])).toEqual([
      [2, 2],
      [3, 1],
    ])
  })

  it('the list begins a new generation when a mark disappears or is lowered, and stays the same without a change', () => {
    const before = updateMarks(EMPTY, [mark(1, 1), mark(1, 2)])
    expect(updateMarks(before, [mark(1, 1), mark(1, 2)])).toEqual(before)
    expect(updateMarks(before, [mark(1, 1)])).toMatchObject({ generation: 6, last: 1 })
    expect(updateMarks(before, [mark(1, 1), mark(1, 2, 2)])).toMatchObject({ generation: 6, last: 2 })
    expect(renewMarks({ ...EMPTY, generation: 0xffffffff }, []).generation).toBe(1)
  })

  it('a reader beyond the last sequence of its generation is ahead of the list', () => {
    const list = updateMarks(EMPTY, [mark(1, 1)])
    expect(isAhead(list, { generation: 5, cursor: 1 })).toBe(false)
    expect(isAhead(list, { generation: 5, cursor: 2 })).toBe(true)
    expect(isAhead(list, { generation: 4, cursor: 2 })).toBe(false)
  })

  it('a reader gets every mark, and none twice in a generation, with any changes between the pages', () => {
    const anyMark = fc.record({
      n: fc.nat(12),
      degree: fc.integer({ min: 1, max: 3 }),
      lag: fc.constantFrom(0 as const, 1 as const),
    })
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('report' as const),
        report: fc.nat(3),
        marks: fc.array(anyMark, { maxLength: 8 }),
      }),
      fc.record({ kind: fc.constant('retract' as const), report: fc.nat(3) }),
      fc.record({ kind: fc.constant('read' as const), max: fc.integer({ min: 1, max: 4 }) }),
    )
    let readBetween = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const reports = new Map<number, Mark[]>()
        let list = EMPTY
        const device = reader()
        const apply = () => {
          list = updateMarks(list, mergeMarks(reports.values()))
        }
        for (const item of steps) {
          if (item.kind === 'read') device.page(list, item.max)
          else if (item.kind === 'retract') {
            reports.delete(item.report)
            apply()
          } else {
            const marks = item.marks.map(({ n, degree, lag }) => mark(n % 4, n, degree, lag === 0 ? 32 : 16, lag))
            reports.set(item.report, mergeMarks([reports.get(item.report) ?? [], marks]))
            apply()
          }
        }
        if (device.held.size > 0) readBetween++
        while (device.page(list, 3) > 0) {}
        device.page(list, 3)
        expect(shown(device.held.values())).toEqual(shown(mergeMarks(reports.values())))
      }),
      { numRuns: 500 },
    )
    // The property says something only when pages are read between changes.
    expect(readBetween).toBeGreaterThan(100)
  })
})
