import { describe, expect, it } from 'vitest'
import { expectRefusal, fixesOf, receiptOf } from './reading.ts'

const read = (text: string) => fixesOf('a.csv', text)

describe('a CSV table', () => {
  it('a table is read by its header, with each separator and each notation of time', async () => {
    const fix = { lat: 47.05, lng: 7.04, accuracyM: 48, at: Date.UTC(2019, 0, 25, 20, 0, 40, 123) }
    const rows = [
      'user_id;longitude;latitude;accuracy;tracked_at\n0;7.04;47.05;48.0;2019-01-25 20:00:40.123999901\n',
      '\uFEFFLat,Lon,Accuracy_m,Time\n47.05,7.04,48,2019-01-25T20:00:40.123Z\n',
      'timestamp\tlat\tlng\taccuracy\n1548446440123\t47.05\t7.04\t48\n',
      'time,lat,lng,accuracy\n"1548446440.123","47.05","7.04",48\n\n',
      'time,lat,lng,accuracy\n2019-01-25T21:00:40.123+01:00,47.05,7.04,48\r\n',
      'Latitude (deg),Longitude (deg),Accuracy (m),Date,Time\n47.05,7.04,48 m,20190125,200040.123\n',
      // The columns of a Columbus logger, from its manual.
      'DATE,TIME,LATITUDE N/S,LONGITUDE E/W,ACC\n190125,200040.123,47.05N,7.04E,48\n',
      '# written by a logger\n\nsep\nlat,lng,acc,time\n47.05,7.04,48,2019-01-25 20:00:40.123 UTC\n',
    ]
    for (const text of rows) expect(await read(text)).toEqual([fix])
  })

  it('an accuracy of 0 or a missing accuracy counts as unknown', async () => {
    const fix = { lat: 1, lng: 2, at: 1_548_446_440_000 }
    expect(await read('time,lat,lng,accuracy\n1548446440,1,2,0.0\n')).toEqual([fix])
    expect(await read('time,lat,lng,accuracy\n1548446440,1,2,\n')).toEqual([fix])
    expect(await read('time,lat,lng\n1548446440,1,2\n')).toEqual([fix])
  })

  it('a table without the columns that it needs is refused with the line of its header', async () => {
    await expectRefusal('a.csv', 'a,b,c\n1,2,3\n', 1, /latitude.*a, b, c/)
    await expectRefusal('a.csv', 'lat,lng\n1,2\n', 1, /time/)
    await expectRefusal('a.csv', 'sep=;\nlat;b\n1;2\n', 2, /longitude, time/)
    await expectRefusal('a.csv', 'lat,lng,time\n', 0, /no track/)
  })

  it('a wrong row is left out with its line, and the rest of the table is kept', async () => {
    const rows: [string, string, RegExp][] = [
      ['1,2', 'malformed', /3 columns are expected, not 2/],
      ['1,2,1548446440,x', 'malformed', /3 columns are expected, not 4/],
      ['1,east,1548446440', 'position-unreadable', /longitude "east"/],
      ['1,,1548446440', 'no-position', /missing/],
      ['1,2,yesterday', 'time-unreadable', /"yesterday"/],
      ['1,2,3', 'time-impossible', /"3" lies outside 1990/],
      ['1,2,', 'no-time', /no time/],
      ['151.2,-33.8,1548446440', 'position-impossible', /exchanged/],
    ]
    for (const [row, reason, detail] of rows) {
      const receipt = await receiptOf('a.csv', `lat,lng,time\n1,2,1548446440\n${row}\n1,2,1548446441\n`)
      expect(receipt).toMatchObject({ kept: 2, leftOut: { [reason]: 1 } })
      expect(receipt.first).toEqual([{ line: 3, reason, detail: expect.stringMatching(detail) }])
    }
  })

  it('a table of which most rows are wrong is refused with the most frequent reason', async () => {
    const text = 'lat,lng,time\n1,2,1548446440\nx,2,1548446440\n1,2,noon\n1,2,noon\n'
    await expectRefusal('a.csv', text, 4, /"noon".*1 more.*1 of 4 entries.*2026-11-20T09:30:15Z/)
  })

  it('rows keep their lines over many chunks, texts with newlines and a quotation mark that is never closed', async () => {
    const row = '1,2,1548446440,"two\nlines"\n'
    const text = `lat,lng,time,note\n${row.repeat(5_000)}1,x,1548446440,\n`
    const { first } = await receiptOf('a.csv', text)
    expect(first).toEqual([expect.objectContaining({ line: 10_002, reason: 'position-unreadable' })])
    const open = await receiptOf('a.csv', 'lat,lng,time,note\n1,2,1548446440,"open\n1,2,1548446441,\n')
    expect(open.kept).toBe(2)
  })
})
