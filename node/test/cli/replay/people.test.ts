import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPeople } from '../../../src/cli/replay/people.ts'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-people-'))
const at = (path: string): string => join(dir, path)
const FILES = [
  'geolife/003/Trajectory/a.csv',
  'geolife/004/Trajectory/a.csv',
  'more/003/Trajectory/a.csv',
  'left/anna.csv',
  'right/anna.csv',
  'right/anna.tsv',
  'right/003.csv',
]
beforeAll(() => {
  for (const file of FILES) {
    mkdirSync(dirname(at(file)), { recursive: true })
    writeFileSync(
      at(file),
      'lat,lng,time\n1,2,2026-03-02T10:05:00Z\n'.replaceAll(',', file.endsWith('tsv') ? '\t' : ','),
    )
  }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const names = async (...paths: string[]): Promise<string[]> => (await readPeople(paths.map(at))).map(({ id }) => id)

describe('the people of a replay', () => {
  it('a person has the name of its file or folder', async () => {
    expect(await names('geolife', 'left/anna.csv')).toEqual(['003', '004', 'anna'])
  })

  it('people of one name have the parts of their paths that differ as names', async () => {
    expect(await names('geolife/003', 'geolife/004')).toEqual(['003', '004'])
    expect(await names('geolife/003', 'more')).toEqual(['Trajectory', '003'])
    expect(await names('geolife', 'more')).toEqual(['geolife', '004', 'more'])
    expect(await names('geolife/003', 'geolife/004', 'more/003')).toEqual(['geolife/003', 'geolife/004', 'more/003'])
    expect(await names('left/anna.csv', 'right/anna.csv')).toEqual(['left', 'right'])
    expect(await names('right/anna.csv', 'right/anna.tsv')).toEqual(['anna.csv', 'anna.tsv'])
  })

  it('a person who is named twice, or whose new name another one has, is refused with both paths', async () => {
    await expect(names('left/anna.csv', 'left/anna.csv')).rejects.toThrow(
      `two that are named anna: ${at('left/anna.csv')} and ${at('left/anna.csv')}`,
    )
    await expect(names('geolife/003', 'geolife/004', 'right/003.csv')).rejects.toThrow(
      /two that are named 003: .*Trajectory and .*003\.csv/,
    )
  })
})
