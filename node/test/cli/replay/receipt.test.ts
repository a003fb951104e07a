import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readPeople } from '../../../src/cli/replay/people.ts'
import { importLines, recordLine, sumImports } from '../../../src/cli/replay/receipt.ts'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-receipt-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the receipt of a replay', () => {
  it('the receipt accounts for every entry, names the wrong ones and the files that are no tracks', async () => {
    const anna = join(dir, 'anna')
    mkdirSync(anna)
    writeFileSync(join(anna, 'a.csv'), 'lat,lng,time\n1,2,2026-03-02T10:00:00\n1,2,2026-03-02T10:05:00Z\nx,2,noon\n')
    writeFileSync(join(anna, 'Settings.json'), '{"deviceSettings": []}')
    const people = await readPeople([dir])
    expect(people.map(({ id, fixes }) => [id, fixes.length])).toEqual([['anna', 2]])
    expect(sumImports(people)).toEqual({
      files: 1,
      entries: 3,
      kept: 2,
      leftOut: { 'position-unreadable': 1 },
      assumedUtc: 1,
      unknownAccuracy: 2,
    })
    const lines = importLines(people)
    expect(lines[0]).toBe('imported: 1 file, 3 entries = 2 kept + 1 left out (1 position-unreadable)')
    expect(lines[2]).toMatch(/a\.csv, line 4: 1 position-unreadable, the first: the latitude "x"/)
    expect(lines[3]).toMatch(/Settings\.json: skipped: this is the settings of a Google location history/)
  })

  it('the line of the diaries adds up and names the 10 m rule and the thinning', () => {
    expect(recordLine({ taken: 1, refused: { inaccurate: 2, 'accuracy-unknown': 3, 'not-better': 4 } })).toBe(
      'recorded: 10 fixes = 1 taken + 9 left out (2 worse than 10 m, 3 of unknown accuracy, ' +
        '4 thinned out: the diary had a better fix of the same five minutes)',
    )
  })
})
