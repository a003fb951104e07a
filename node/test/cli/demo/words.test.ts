import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { RosterView } from '../../../src/admin/membership-routes.ts'
import { clockTime, residentLines, rosterLine } from '../../../src/cli/demo/words.ts'

const roster = {
  height: 2,
  name: '0123456789abcdef',
  firstEpoch: 372_000,
  members: 5,
  operators: 6,
  newcomers: 0,
  admitted: 0,
  changes: [],
} as unknown as RosterView
const from = clockTime(372_000 * EPOCH_MS)
const ben = { name: 'ben', story: 'sat at her table', degree: 0, same: 0, trail: 0, exposures: [] }

describe('the output of the demo', () => {
  it('a roster line names joining nodes and changes only when there are some', () => {
    expect(rosterLine(roster)).toBe(`Roster 2 (0123456789abcdef), from ${from}: 5 salt nodes`)
    expect(rosterLine({ ...roster, newcomers: 1, admitted: 1, changes: ['a', 'b'] })).toBe(
      `Roster 2 (0123456789abcdef), from ${from}: 5 salt nodes, 2 joining: a; b`,
    )
    expect(rosterLine({ ...roster, release: 'ab'.repeat(32) })).toContain('5 salt nodes, release abababababababab')
  })

  it('a resident without marks is not at risk', () => {
    expect(residentLines(ben)).toEqual(['   ben: not at risk (sat at her table)'])
  })

  it('a resident with marks gets the degree, the reasons that apply, and a line for each exposure', () => {
    const exposure = { from: 372_000 * EPOCH_MS, to: 372_001 * EPOCH_MS, lat: 52.52, lng: 13.405, matches: 7 } as never
    const [head, row, ...more] = residentLines({ ...ben, degree: 1, same: 3, trail: 2, exposures: [exposure] })
    expect(head).toBe(
      '   ben: AT RISK, degree 1: 3 hashes in the same place and time block, 2 hashes where an infectious person had just been (sat at her table)',
    )
    expect(row).toMatch(/^ {6}\d\d:\d\d – \d\d:\d\d {2}near 52\.52000, 13\.40500 {2}7 matching hashes$/)
    expect(more).toEqual([])
    expect(residentLines({ ...ben, degree: 2, same: 0, trail: 2 })[0]).not.toContain('same place')
  })
})
