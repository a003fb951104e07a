import { describe, expect, it } from 'vitest'
import { expectThoseWhoMet003, GEOLIFE, geotrace, hasTraces } from './replays.ts'

describe.skipIf(!hasTraces)('a replay of all Geolife people', () => {
  it('when 003 of all Geolife people reports, the replay marks 004 and 005 and nobody else', async () => {
    const { code, stdout } = await geotrace('replay', GEOLIFE, '--report', '003', '--no-redaction', '--json')
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ reporter: '003', degrees: 1, people: 11, fixes: 2717, riskHashes: 78159 })
    expect(result.saltRequests).toBeGreaterThan(400)
    expectThoseWhoMet003(result.marked)
  })
})
