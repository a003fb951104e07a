import { describe, expect, it } from 'vitest'
import { expectRefusal, fixesOf, receiptOf } from './reading.ts'

const PLT_HEAD = 'Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n'

describe('a Geolife track', () => {
  it('a Geolife track is read as UTC without accuracy, with either line ending', async () => {
    const text = `${PLT_HEAD}39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04\n`
    const fix = { lat: 39.984702, lng: 116.318417, at: Date.UTC(2008, 9, 23, 2, 53, 4) }
    expect(await fixesOf('a.plt', text)).toEqual([fix])
    expect(await fixesOf('a.plt', text.replaceAll('\n', '\r\n'))).toEqual([fix])
    expect((await receiptOf('a.plt', text)).assumedUtc).toBe(0)
  })

  it('a wrong Geolife track is refused with its line', async () => {
    await expectRefusal('a.plt', 'hello\n', 1, /Geolife/)
    await expectRefusal('a.plt', PLT_HEAD, 0, /no track/)
    await expectRefusal('a.plt', `${PLT_HEAD}1,2,3\n`, 7, /seven columns/)
    await expectRefusal('a.plt', `${PLT_HEAD}91,2,0,0,0,2008-10-23,02:53:04\n`, 7, /latitude/)
    await expectRefusal('a.plt', `${PLT_HEAD}1,x,0,0,0,2008-10-23,02:53:04\n`, 7, /longitude "x"/)
    await expectRefusal('a.plt', `${PLT_HEAD}1,2,0,0,0,2008-10-23,25:53:04\n`, 7, /time/)
  })

  it('a wrong row of a Geolife track is left out with its line', async () => {
    const good = '1,2,0,0,0,2008-10-23,02:53:04\n'
    const { kept, first } = await receiptOf('a.plt', `${PLT_HEAD}${good}1,2,3\n${good}`)
    expect([kept, first]).toEqual([2, [expect.objectContaining({ line: 8, reason: 'malformed' })]])
  })
})
