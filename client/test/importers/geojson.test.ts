import { describe, expect, it } from 'vitest'
import { jsonToFixes } from '../../src/importers/index.ts'

const at = Date.UTC(2026, 10, 20, 9, 30, 15)
const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })
const read = (value: unknown) => jsonToFixes(JSON.stringify(value))
const feature = (geometry: unknown, properties: unknown) => ({ type: 'Feature', geometry, properties })
const point = (lng: number, lat: number) => ({ type: 'Point', coordinates: [lng, lat, 33.5] })

describe('GeoJSON', () => {
  it('a Point has its time in its properties, under each usual name and in each notation', () => {
    const times = {
      time: '2026-11-20T09:30:15Z',
      timestamp: at / 1000,
      recorded_at: at,
      at: '2026-11-20T10:30:15+01:00',
    }
    for (const [name, time] of Object.entries(times)) {
      const file = { type: 'FeatureCollection', features: [feature(point(-0.1, 51.5), { [name]: time, accuracy: 7 })] }
      expect(read(file)).toEqual([{ lat: 51.5, lng: -0.1, accuracyM: 7, at }])
    }
    expect(read(feature(point(-0.1, 51.5), { time: at }))).toEqual([{ lat: 51.5, lng: -0.1, at }])
  })

  it('a line has its times in `coordTimes` or in `coordinateProperties`, and points without a time are left out', () => {
    const coordinates = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    const times = ['2026-11-20T09:30:15Z', null, '2026-11-20T09:31:15Z']
    const want = [
      { lat: 2, lng: 1, at },
      { lat: 6, lng: 5, at: at + 60_000 },
    ]
    const line = { type: 'LineString', coordinates }
    for (const properties of [{ coordTimes: times }, { coordinateProperties: { times } }]) {
      expect(read({ type: 'FeatureCollection', features: [feature(line, properties)] })).toEqual(want)
    }
    const lines = { type: 'MultiLineString', coordinates: [coordinates, [[7, 8]]] }
    const later = '2026-11-20T09:32:15Z'
    expect(read(feature(lines, { coordTimes: [times, [later]] }))).toEqual([
      ...want,
      { lat: 8, lng: 7, at: at + 120_000 },
    ])
    const mixed = { type: 'GeometryCollection', geometries: [{ type: 'Polygon', coordinates: [] }, line] }
    expect(read(feature(mixed, { coordTimes: times }))).toEqual(want)
    expect(read({ features: [feature(null, {}), feature(line, { coordTimes: times })] })).toEqual(want)
  })

  it('wrong GeoJSON is refused with the path of the mistake', () => {
    const file = (item: unknown) => ({
      type: 'FeatureCollection',
      features: [feature(point(1, 2), { time: at }), item],
    })
    const cases: [unknown, RegExp][] = [
      [feature(point(1, 95), { time: at }), /^\$\.features\[1\]\.geometry\.coordinates: the latitude 95/],
      [
        feature({ type: 'Point', coordinates: [1] }, { time: at }),
        /^\$\.features\[1\]\.geometry\.coordinates: a position/,
      ],
      [feature({ type: 'Point', coordinates: 7 }, { time: at }), /^\$\.features\[1\]\.geometry\.coordinates: a list/],
      [feature(point(1, 2), { time: 'soon' }), /^\$\.features\[1\]\.geometry\.coordinates: "soon" is not a time/],
      [feature({ type: 'Circle' }, { time: at }), /^\$\.features\[1\]\.geometry\.type: .*kind/],
      [
        feature({ type: 'LineString', coordinates: [[1, 2]] }, { coordTimes: [at, at] }),
        /^\$\.features\[1\]\.properties\.coordTimes: 1 times are expected.*not 2/,
      ],
    ]
    for (const [item, reason] of cases) expect(() => read(file(item))).toThrow(invalid(1, reason))
    expect(() => read(feature(point(1, 2), { name: 'church' }))).toThrow(invalid(0, /both a place and a time/))
    expect(() => read({ kml: 1 })).toThrow(invalid(0, /neither GeoJSON nor/))
  })
})
