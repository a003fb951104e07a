import { describe, expect, it } from 'vitest'
import { sourceIndex } from '../../../src/central/risk/source-index.ts'
import { group, hashes, row } from '../store/sample.ts'

describe('the index of sources', () => {
  it('the source index finds a report for rows of its sources and for current rows with a source’s hash', () => {
    const index = sourceIndex()
    const watch = index.watch(1)
    watch.sources([7])
    watch.hashes(hashes(1))
    expect(index.concerned(7, [group(3, row(9))])).toEqual([1])
    expect(index.concerned(7, [])).toEqual([])
    expect(index.concerned(8, [group(3, row(9))])).toEqual([])
    expect(index.concerned(8, [group(3, row(1))])).toEqual([1])
    expect(index.concerned(8, [group(3, row(1, 2))])).toEqual([])
    index.remove(1)
    expect(index.concerned(8, [group(3, row(1))])).toEqual([])
    watch.hashes(hashes(2))
    expect(index.size).toBe(0)
  })

  it('reports without room wait for a closing, and are computed then if rows came since the last one', () => {
    const index = sourceIndex(1)
    index.watch(1).hashes(hashes(1, 2))
    index.watch(2).hashes(hashes(3))
    expect([index.size, index.takeLate()]).toEqual([1, []])
    expect(index.concerned(8, [group(3, row(9))])).toEqual([])
    expect([index.takeLate(), index.takeLate()]).toEqual([[1, 2], []])
    index.concerned(8, [group(3, row(1))])
    index.remove(1)
    expect(index.takeLate()).toEqual([2])
  })
})
