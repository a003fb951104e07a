import { describe, expect, it } from 'vitest'
import { pltToFixes } from '../../src/importers/index.ts'

const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })
const PLT_HEAD = 'Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n'

describe('a Geolife track', () => {
  it('a Geolife track is read as UTC without accuracy, with either line ending', () => {
    const text = `${PLT_HEAD}39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04\n`
    const fix = { lat: 39.984702, lng: 116.318417, at: Date.UTC(2008, 9, 23, 2, 53, 4) }
    expect(pltToFixes(text)).toEqual([fix])
    expect(pltToFixes(text.replaceAll('\n', '\r\n'))).toEqual([fix])
  })

  it('a wrong Geolife track is refused with its line', () => {
    expect(() => pltToFixes('hello\n')).toThrow(invalid(1, /Geolife/))
    expect(() => pltToFixes(PLT_HEAD)).toThrow(invalid(0, /no fixes/))
    expect(() => pltToFixes(`${PLT_HEAD}1,2,3\n`)).toThrow(invalid(7, /seven columns/))
    expect(() => pltToFixes(`${PLT_HEAD}91,2,0,0,0,2008-10-23,02:53:04\n`)).toThrow(invalid(7, /latitude/))
    expect(() => pltToFixes(`${PLT_HEAD}1,x,0,0,0,2008-10-23,02:53:04\n`)).toThrow(invalid(7, /longitude "x"/))
    expect(() => pltToFixes(`${PLT_HEAD}1,2,0,0,0,2008-10-23,25:53:04\n`)).toThrow(invalid(7, /time/))
  })
})
