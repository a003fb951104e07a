import { describe, expect, it } from 'vitest'
import { csvToFixes } from '../../src/importers/index.ts'
import { toTime } from '../../src/importers/position.ts'

const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })

describe('a CSV table', () => {
  it('a table is read by its header, with each separator and each notation of time', () => {
    const fix = { lat: 47.05, lng: 7.04, accuracyM: 48, at: Date.UTC(2019, 0, 25, 20, 0, 40, 123) }
    const rows = [
      'user_id;longitude;latitude;accuracy;tracked_at\n0;7.04;47.05;48.0;2019-01-25 20:00:40.123999901\n',
      '\uFEFFLat,Lon,Accuracy_m,Time\n47.05,7.04,48,2019-01-25T20:00:40.123Z\n',
      'timestamp\tlat\tlng\taccuracy\n1548446440123\t47.05\t7.04\t48\n',
      'time,lat,lng,accuracy\n"1548446440.123","47.05","7.04",48\n\n',
      'time,lat,lng,accuracy\n2019-01-25T21:00:40.123+01:00,47.05,7.04,48\r\n',
    ]
    for (const text of rows) expect(csvToFixes(text)).toEqual([fix])
  })

  it('an accuracy of 0 or a missing accuracy counts as unknown', () => {
    const fix = { lat: 1, lng: 2, at: 1_548_446_440_000 }
    expect(csvToFixes('time,lat,lng,accuracy\n1548446440,1,2,0.0\n')).toEqual([fix])
    expect(csvToFixes('time,lat,lng,accuracy\n1548446440,1,2,\n')).toEqual([fix])
    expect(csvToFixes('time,lat,lng\n1548446440,1,2\n')).toEqual([fix])
  })

  it('a wrong table is refused with its line', () => {
    expect(() => csvToFixes('a,b,c\n1,2,3\n')).toThrow(invalid(1, /latitude.*a, b, c/))
    expect(() => csvToFixes('lat,lng\n1,2\n')).toThrow(invalid(1, /time/))
    expect(() => csvToFixes('lat,lng,time\n')).toThrow(invalid(0, /no fixes/))
    expect(() => csvToFixes('lat,lng,time\n1,2,2019-01-25 20:00\n1,2\n')).toThrow(invalid(3, /cannot be read/))
    expect(() => csvToFixes('lat,lng,time\n1,2,3\n1,,3\n')).toThrow(invalid(3, /longitude/))
    expect(() => csvToFixes('lat,lng,time\n1,2,yesterday\n')).toThrow(invalid(2, /"yesterday"/))
    expect(() => csvToFixes('lat,lng,time,accuracy\n1,2,3,-5\n')).toThrow(invalid(2, /negative/))
  })

  it('a time without a zone is read as UTC', () => {
    expect(toTime('2019-01-25 20:00', 1)).toBe(Date.UTC(2019, 0, 25, 20))
    expect(toTime('2019-01-25T20:00:00-0130', 1)).toBe(Date.UTC(2019, 0, 25, 21, 30))
    expect(toTime('2019-01-25T20:00:00+02', 1)).toBe(Date.UTC(2019, 0, 25, 18))
    for (const text of ['', '25.01.2019', '2019-13-25 20:00', '-5'])
      expect(() => toTime(text, 4)).toThrow(invalid(4, /time/))
  })
})
