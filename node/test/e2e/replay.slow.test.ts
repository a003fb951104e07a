import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { expectThoseWhoMet003, GEOLIFE, geotrace, hasTraces } from './replays.ts'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-replay-slow-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.skipIf(!hasTraces)('a replay of all Geolife people', () => {
  it('when 003 of all Geolife people reports, the replay marks 004 and 005 and nobody else', async () => {
    const { code, stdout } = await geotrace(
      'replay',
      GEOLIFE,
      '--report',
      '003',
      '--no-redaction',
      '--json',
      '--salting',
      'plain',
    )
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ reporter: '003', degrees: 1, people: 11, fixes: 2717, riskHashes: 78159 })
    expect(result.saltRequests).toBeGreaterThan(400)
    expectThoseWhoMet003(result.marked)
  })
})

describe.skipIf(!hasTraces)('a replay under each salting', () => {
  it.each([
    ['plain', ['--salting', 'plain']],
    ['threshold, 1 of 5', ['--threshold', '1']],
    ['threshold, 3 of 5', []],
  ])('%s gives the same people with the same numbers of equal hashes', async (name, options) => {
    const people = join(dir, name)
    mkdirSync(people)
    for (const id of ['003', '004', '005']) symlinkSync(join(GEOLIFE, id), join(people, id))
    const { code, stdout } = await geotrace('replay', people, '--report', '003', '--no-redaction', '--json', ...options)
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ reporter: '003', people: 3, fixes: 747, riskHashes: 21240 })
    expect(result.evaluations > 0).toBe(name !== 'plain')
    expectThoseWhoMet003(result.marked)
  })
})
