import { describe, expect, it } from 'vitest'
import { gpxToFixes } from '../../src/importers/index.ts'

const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })

describe('a GPX file', () => {
  const gpx = (body: string) =>
    `<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">\n${body}\n</gpx>\n`

  it('a GPX file gives the timed points of its tracks and routes', () => {
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

  it('a wrong GPX file is refused with the reason', () => {
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
