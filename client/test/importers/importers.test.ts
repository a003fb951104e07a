import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { csvToFixes, gpxToFixes, importFile, isTrackFile, pltToFixes } from '../../src/importers/index.ts'
import { toTime } from '../../src/importers/position.ts'

const repository = resolve(fileURLToPath(import.meta.url), '../../../..')
/** Real tracks stay beside the repository and are never copied into it. */
const TRACES = resolve(repository, '..', 'shared', 'traces')
const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })

const PLT_HEAD = 'Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n'

describe('a Geolife track', () => {
  it('is read as UTC without accuracy, whatever its line ends', () => {
    const text = `${PLT_HEAD}39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04\n`
    const fix = { lat: 39.984702, lng: 116.318417, at: Date.UTC(2008, 9, 23, 2, 53, 4) }
    expect(pltToFixes(text)).toEqual([fix])
    expect(pltToFixes(text.replaceAll('\n', '\r\n'))).toEqual([fix])
  })

  it('is refused with the line that is wrong', () => {
    expect(() => pltToFixes('hello\n')).toThrow(invalid(1, /Geolife/))
    expect(() => pltToFixes(PLT_HEAD)).toThrow(invalid(0, /no fixes/))
    expect(() => pltToFixes(`${PLT_HEAD}1,2,3\n`)).toThrow(invalid(7, /seven columns/))
    expect(() => pltToFixes(`${PLT_HEAD}91,2,0,0,0,2008-10-23,02:53:04\n`)).toThrow(invalid(7, /latitude/))
    expect(() => pltToFixes(`${PLT_HEAD}1,x,0,0,0,2008-10-23,02:53:04\n`)).toThrow(invalid(7, /longitude "x"/))
    expect(() => pltToFixes(`${PLT_HEAD}1,2,0,0,0,2008-10-23,25:53:04\n`)).toThrow(invalid(7, /time/))
  })
})

describe('a table', () => {
  it('is read by its header, with each separator and each way to write a time', () => {
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

  it('takes an accuracy of 0, or none, for unknown', () => {
    const fix = { lat: 1, lng: 2, at: 1_548_446_440_000 }
    expect(csvToFixes('time,lat,lng,accuracy\n1548446440,1,2,0.0\n')).toEqual([fix])
    expect(csvToFixes('time,lat,lng,accuracy\n1548446440,1,2,\n')).toEqual([fix])
    expect(csvToFixes('time,lat,lng\n1548446440,1,2\n')).toEqual([fix])
  })

  it('is refused with the line that is wrong', () => {
    expect(() => csvToFixes('a,b,c\n1,2,3\n')).toThrow(invalid(1, /latitude.*a, b, c/))
    expect(() => csvToFixes('lat,lng\n1,2\n')).toThrow(invalid(1, /time/))
    expect(() => csvToFixes('lat,lng,time\n')).toThrow(invalid(0, /no fixes/))
    expect(() => csvToFixes('lat,lng,time\n1,2,2019-01-25 20:00\n1,2\n')).toThrow(invalid(3, /cannot be read/))
    expect(() => csvToFixes('lat,lng,time\n1,2,3\n1,,3\n')).toThrow(invalid(3, /longitude/))
    expect(() => csvToFixes('lat,lng,time\n1,2,yesterday\n')).toThrow(invalid(2, /"yesterday"/))
    expect(() => csvToFixes('lat,lng,time,accuracy\n1,2,3,-5\n')).toThrow(invalid(2, /negative/))
  })

  it('reads a time without a zone as UTC', () => {
    expect(toTime('2019-01-25 20:00', 1)).toBe(Date.UTC(2019, 0, 25, 20))
    expect(toTime('2019-01-25T20:00:00-0130', 1)).toBe(Date.UTC(2019, 0, 25, 21, 30))
    expect(toTime('2019-01-25T20:00:00+02', 1)).toBe(Date.UTC(2019, 0, 25, 18))
    for (const text of ['', '25.01.2019', '2019-13-25 20:00', '-5'])
      expect(() => toTime(text, 4)).toThrow(invalid(4, /time/))
  })
})

describe('a GPX file', () => {
  const gpx = (body: string) =>
    `<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">\n${body}\n</gpx>\n`

  it('is read from tracks and routes, points without a time left out', () => {
    const text = gpx(`<trk><trkseg/><trkseg>
      <trkpt lat="45.1" lon="14.2"><ele>5</ele><time>2010-08-05T14:23:59Z</time></trkpt>
      <trkpt lat="45.3" lon="14.4"></trkpt></trkseg></trk>
      <rte><rtept lat="-45.5" lon="-14.6"><time>2010-08-05T14:24:59.5Z</time></rtept></rte>`)
    expect(gpxToFixes(text)).toEqual([
      { lat: 45.1, lng: 14.2, at: Date.UTC(2010, 7, 5, 14, 23, 59) },
      { lat: -45.5, lng: -14.6, at: Date.UTC(2010, 7, 5, 14, 24, 59, 500) },
    ])
    expect(gpxToFixes(text.replaceAll(/<(\/?)(gpx|trk|rte)/g, '<$1x:$2')).length).toBe(2)
  })

  it('is refused with a sentence that says what is missing', () => {
    expect(() => gpxToFixes('not xml')).toThrow(invalid(1, /not XML/))
    expect(() => gpxToFixes('<a>\n<b></a>')).toThrow(invalid(2, /not XML/))
    expect(() => gpxToFixes('<kml></kml>')).toThrow(invalid(0, /not GPX/))
    expect(() => gpxToFixes(gpx('<wpt lat="1" lon="2"/>'))).toThrow(invalid(0, /no track/))
    expect(() => gpxToFixes(gpx(''))).toThrow(invalid(0, /no track|not GPX/))
    expect(() => gpxToFixes(gpx('<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk>'))).toThrow(
      invalid(0, /has a time/),
    )
    const time = '<time>2010-08-05T14:23:59Z</time>'
    const bad = gpx(
      `<trk><trkseg>\n<trkpt lat="1" lon="2">${time}</trkpt>\n<trkpt lat="95" lon="2">${time}</trkpt></trkseg></trk>`,
    )
    expect(() => gpxToFixes(bad)).toThrow(invalid(5, /95/))
  })
})

describe('a file by its name', () => {
  it('goes to the reader of its kind', () => {
    expect(isTrackFile('/some/dir.d/walk.GPX')).toBe(true)
    expect(isTrackFile('walk.jpg')).toBe(false)
    expect(isTrackFile('constructor')).toBe(false)
    expect(importFile('A.CSV', 'lat,lng,time\n1,2,1548446440\n').length).toBe(1)
    expect(() => importFile('a.gpx', ' \n')).toThrow(invalid(0, /empty/))
    expect(() => importFile('a.kml', '<kml/>')).toThrow(invalid(0, /understood/))
    expect(() => importFile('constructor', 'x')).toThrow(invalid(0, /understood/))
  })
})

describe.skipIf(!existsSync(TRACES))(
  `real tracks${existsSync(TRACES) ? '' : ' (SKIPPED: no shared/traces beside the repository)'}`,
  () => {
    it('of eleven people of Geolife, two hikes and one table are read whole', () => {
      const geolife = join(TRACES, 'geolife')
      let fixes = 0
      for (const person of readdirSync(geolife)) {
        const dir = join(geolife, person, 'Trajectory')
        for (const name of readdirSync(dir)) fixes += importFile(name, readFileSync(join(dir, name), 'utf8')).length
      }
      expect(fixes).toBe(164_531)
      const read = (path: string) => importFile(path, readFileSync(join(TRACES, path), 'utf8'))
      expect(read('gpx/cerknicko-jezero.gpx').length).toBe(296)
      expect(read('gpx/korita-zbevnica.gpx').length).toBe(513)
      const table = read('csv/posmo_trajectory.csv')
      expect(table.length).toBe(1_327)
      expect(table[0]).toEqual({ lat: 47.0516249, lng: 7.0389004, at: Date.UTC(2019, 0, 25, 20, 0, 16, 178) })
      expect(table.some((fix) => fix.accuracyM === 48)).toBe(true)
    })
  },
)
