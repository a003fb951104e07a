import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importFile, importStream, jsonToFixes } from '../../src/importers/index.ts'

const at = Date.UTC(2026, 10, 20, 9, 30, 15)
const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })
const read = (value: unknown) => jsonToFixes(JSON.stringify(value))
const feature = (geometry: unknown, properties: unknown) => ({ type: 'Feature', geometry, properties })
const point = (lng: number, lat: number) => ({ type: 'Point', coordinates: [lng, lat, 33.5] })

/** A file in pieces of the given sizes, over and over. */
function inPieces(text: string, sizes: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  let [from, turn] = [0, 0]
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close()
      const to = from + sizes[turn++ % sizes.length]!
      controller.enqueue(bytes.subarray(from, to))
      from = to
    },
  })
}

describe('GeoJSON', () => {
  it('gives a Point by its properties, whatever its time is called and written like', () => {
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

  it('gives a line by its list of times, of either generation, parts without a time left out', () => {
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

  it('is refused with the path that is wrong', () => {
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

describe('Google Takeout', () => {
  const fix = { lat: 51.5, lng: -0.1, accuracyM: 13, at }

  it('gives Records.json, of both its ways to write a time and a negative degree', () => {
    const place = { latitudeE7: 515000000, accuracy: 13 }
    const records = [
      { ...place, longitudeE7: -1000000, timestamp: '2026-11-20T09:30:15Z', activity: [{ activity: [] }] },
      { ...place, longitudeE7: 2 ** 32 - 1000000, timestampMs: String(at) },
      { timestamp: '2026-11-20T09:30:15Z', activeWifiScan: { accessPoints: [] } },
    ]
    expect(read({ locations: records })).toEqual([fix, fix])
  })

  it("gives Android's Timeline.json: raw signals, paths and activities, but no visits", () => {
    const time = '2026-11-20T10:30:15.000+01:00'
    const file = {
      semanticSegments: [
        { startTime: time, endTime: time, timelinePath: [{ point: '51.5°, -0.1°', time }] },
        {
          startTime: time,
          endTime: '2026-11-20T10:45:15.000+01:00',
          activity: { start: { latLng: '51.5°, -0.1°' }, end: { latLng: '51.6°, -0.2°' } },
        },
        { startTime: time, endTime: time, visit: { topCandidate: { placeLocation: { latLng: '1.0°, 1.0°' } } } },
        { startTime: time, endTime: time, timelineMemory: { trip: {} } },
      ],
      rawSignals: [
        { position: { LatLng: '51.5°, -0.1°', accuracyMeters: 13, source: 'WIFI', timestamp: time } },
        { wifiScan: { deliveryTime: time, devicesRecords: [] } },
      ],
      userLocationProfile: { frequentPlaces: [{ placeLocation: '2.0°, 2.0°' }] },
    }
    const { accuracyM: _, ...bare } = fix
    expect(read(file)).toEqual([bare, bare, { lat: 51.6, lng: -0.2, at: at + 900_000 }, fix])
  })

  it("gives the list that iOS writes, with minutes after the segment's start", () => {
    const startTime = '2026-11-20T10:30:15.000+01:00'
    const list = [
      {
        startTime,
        endTime: '2026-11-20T10:50:15.000+01:00',
        timelinePath: [{ point: 'geo:51.500000,-0.100000', durationMinutesOffsetFromStartTime: '20' }],
      },
      { startTime, endTime: startTime, activity: { start: 'geo:51.5,-0.1', end: 'geo:51.5,-0.1' } },
      { startTime, endTime: startTime, visit: { topCandidate: { placeLocation: 'geo:1,1' } } },
    ]
    const bare = { lat: 51.5, lng: -0.1, at }
    expect(read(list)).toEqual([{ ...bare, at: at + 1_200_000 }, bare, bare])
  })

  it('is refused with line and path', () => {
    const text =
      '{\n "locations": [\n  {"latitudeE7": 1, "longitudeE7": 2, "timestampMs": "1732095015000"},\n  {"latitudeE7": '
    expect(() => jsonToFixes(`${text}"x", "longitudeE7": 2, "timestamp": 1}]}`)).toThrow(
      invalid(4, /^\$\.locations\[1\]\.latitudeE7: a number is expected, not "x"/),
    )
    expect(() => jsonToFixes(`${text}oops`)).toThrow(invalid(4, /not JSON after \$\.locations\[0\]/))
    expect(() => jsonToFixes(text)).toThrow(invalid(4, /not JSON after \$\.locations\[0\]/))
    expect(() => jsonToFixes('"hello"')).toThrow(invalid(1, /neither an object nor a list/))
    expect(() => jsonToFixes('<kml/>')).toThrow(invalid(1, /not JSON/))
    expect(() => read({ locations: [{ latitudeE7: 1, longitudeE7: 2 }] })).toThrow(
      invalid(1, /\$\.locations\[0\]\.timestamp: a text is expected, not nothing/),
    )
    const signal = { position: { LatLng: 'somewhere', timestamp: '2026-11-20T10:30:15Z' } }
    expect(() => read({ rawSignals: [signal] })).toThrow(
      invalid(1, /\$\.rawSignals\[0\]\.position\.LatLng: "somewhere"/),
    )
    expect(() => read({ locations: [] })).toThrow(invalid(0, /neither|both/))
  })
})

describe('a file as it arrives', () => {
  const position = fc.record({
    lat: fc.integer({ min: -90e7, max: 90e7 }),
    lng: fc.integer({ min: -180e7, max: 180e7 }),
    at: fc.integer({ min: 1_000_000_000_000, max: 1_800_000_000_000 }),
    accuracyM: fc.integer({ min: 0, max: 3000 }),
  })

  it('gives the same fixes however it is cut, oldest first, none from before `since`', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(position, { minLength: 1, maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (positions, sizes, pretty) => {
          const locations = positions.map(({ lat, lng, accuracyM, at: ms }) => ({
            latitudeE7: lat,
            longitudeE7: lng,
            accuracy: accuracyM,
            timestamp: new Date(ms).toISOString(),
            source: 'WIFI „ü“',
          }))
          const since = positions[0]!.at
          const want = positions
            .map(({ lat, lng, at: ms, accuracyM }) => ({
              lat: lat / 1e7,
              lng: lng / 1e7,
              ...(accuracyM > 0 && { accuracyM }),
              at: ms,
            }))
            .filter((fix) => fix.at >= since)
            .sort((a, b) => a.at - b.at)
          const text = `\uFEFF${JSON.stringify({ locations }, null, pretty ? 2 : undefined)}`
          expect(await importStream('Records.json', inPieces(text, sizes), { since })).toEqual(want)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('names the same line for a mistake however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        async (before, sizes) => {
          const good = '{"latitudeE7": 1, "longitudeE7": 2, "timestampMs": "1732095015000"},\n'
          const text = `{"locations": [\n${good.repeat(before)}{"latitudeE7": !`
          await expect(importStream('a.json', inPieces(text, sizes))).rejects.toThrow(invalid(before + 2, /not JSON/))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('reads every other kind too, with progress, and ends at a signal', async () => {
    const text = '\uFEFFtime,lat,lng\n1548446441,1,2\n1548446440,3,4\n'
    const seen: number[] = []
    const fixes = await importStream('a.csv', inPieces(text, [7]), { onProgress: (bytes) => seen.push(bytes) })
    expect(fixes.map((fix) => fix.lat)).toEqual([3, 1])
    expect(seen.at(-1)).toBe(new TextEncoder().encode(text).length)
    const controller = new AbortController()
    const endless = new ReadableStream<Uint8Array>({
      pull(source) {
        source.enqueue(new TextEncoder().encode(' '))
        controller.abort()
      },
    })
    await expect(importStream('a.json', endless, { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await expect(importStream('a.json', inPieces('', [1]))).rejects.toThrow(invalid(0, /empty/))
    await expect(importStream('a.kml', inPieces('x', [1]))).rejects.toThrow(invalid(0, /understood/))
  })

  it('goes by its content when it is named .json', () => {
    expect(importFile('walk.geojson', JSON.stringify(feature(point(1, 2), { time: at }))).length).toBe(1)
    expect(importFile('\uFEFF.json', `\uFEFF${JSON.stringify(feature(point(1, 2), { time: at }))}`).length).toBe(1)
  })
})
