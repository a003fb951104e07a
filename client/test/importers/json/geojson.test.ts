import { describe, expect, it } from 'vitest'
import { AT as at, expectRefusal, fixesOf, receiptOf } from '../reading.ts'

const read = (value: unknown) => fixesOf('a.geojson', JSON.stringify(value))
const feature = (geometry: unknown, properties: unknown) => ({ type: 'Feature', geometry, properties })
const point = (lng: number, lat: number) => ({ type: 'Point', coordinates: [lng, lat, 33.5] })

describe('GeoJSON', () => {
  it('a Point has its time in its properties, under each usual name and in each notation', async () => {
    const times = {
      time: '2026-11-20T09:30:15Z',
      timestamp: at / 1000,
      recorded_at: at,
      at: '2026-11-20T10:30:15+01:00',
    }
    for (const [name, time] of Object.entries(times)) {
      const file = { type: 'FeatureCollection', features: [feature(point(-0.1, 51.5), { [name]: time, accuracy: 7 })] }
      expect(await read(file)).toEqual([{ lat: 51.5, lng: -0.1, accuracyM: 7, at }])
    }
    expect(await read(feature(point(-0.1, 51.5), { time: at }))).toEqual([{ lat: 51.5, lng: -0.1, at }])
  })

  it('a line has a list of times, of either generation, and parts without a time are left out', async () => {
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
      expect(await read({ type: 'FeatureCollection', features: [feature(line, properties)] })).toEqual(want)
    }
    const lines = { type: 'MultiLineString', coordinates: [coordinates, [[7, 8]]] }
    const later = '2026-11-20T09:32:15Z'
    expect(await read(feature(lines, { coordTimes: [times, [later]] }))).toEqual([
      ...want,
      { lat: 8, lng: 7, at: at + 120_000 },
    ])
    const mixed = { type: 'GeometryCollection', geometries: [{ type: 'Polygon', coordinates: [] }, line] }
    expect(await read(feature(mixed, { coordTimes: times }))).toEqual(want)
    expect(await read({ features: [feature(null, {}), feature(line, { coordTimes: times })] })).toEqual(want)
  })

  it('a wrong feature is left out with its path, and the others are kept', async () => {
    const good = feature(point(1, 2), { time: at })
    const cases: [unknown, string, RegExp][] = [
      [
        feature(point(1, 95), { time: at }),
        'position-impossible',
        /^\$\.features\[1\]\.geometry\.coordinates: the latitude 95/,
      ],
      [
        feature({ type: 'Point', coordinates: [1] }, { time: at }),
        'no-position',
        /coordinates: the position is missing/,
      ],
      [feature({ type: 'Point', coordinates: 7 }, { time: at }), 'position-unreadable', /coordinates: a list/],
      [feature(point(1, 2), { time: 'soon' }), 'time-unreadable', /coordinates: the time "soon"/],
      [feature(point(1, 2), { name: 'church' }), 'no-time', /no time/],
      [feature(point(1, 2), { time: at, accuracy: [5] }), 'accuracy-unreadable', /accuracy, not a list/],
      [feature({ type: 'Circle' }, { time: at }), 'malformed', /geometry\.type: a kind/],
      [feature({ type: 'Polygon', coordinates: [] }, { time: at }), 'no-fix', /area/],
      [feature(null, {}), 'no-position', /no geometry/],
      [
        feature({ type: 'LineString', coordinates: [[1, 2]] }, { coordTimes: [at, at] }),
        'malformed',
        /properties\.coordTimes: 1 times are expected.*not 2/,
      ],
    ]
    for (const [item, reason, detail] of cases) {
      const receipt = await receiptOf(
        'a.geojson',
        JSON.stringify({ type: 'FeatureCollection', features: [good, item] }),
      )
      expect(receipt, reason).toMatchObject({ kept: 1, leftOut: { [reason]: 1 } })
      expect(receipt.first).toEqual([{ line: 1, reason, detail: expect.stringMatching(detail) }])
    }
  })

  it('a file without a usable feature is refused', async () => {
    await expectRefusal('a.geojson', JSON.stringify(feature(point(1, 2), { name: 'church' })), 1, /no time.*with times/)
    await expectRefusal('a.geojson', '{"kml": 1}', 0, /neither GeoJSON,/)
    await expectRefusal('a.geojson', '{"features": []}', 0, /neither GeoJSON,/)
  })
})
