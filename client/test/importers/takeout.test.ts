import { describe, expect, it } from 'vitest'
import { jsonToFixes } from '../../src/importers/index.ts'

const at = Date.UTC(2026, 10, 20, 9, 30, 15)
const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })
const read = (value: unknown) => jsonToFixes(JSON.stringify(value))

describe('Google Takeout', () => {
  const fix = { lat: 51.5, lng: -0.1, accuracyM: 13, at }

  it('Records.json is read with both notations of times and of negative degrees', () => {
    const place = { latitudeE7: 515000000, accuracy: 13 }
    const records = [
      { ...place, longitudeE7: -1000000, timestamp: '2026-11-20T09:30:15Z', activity: [{ activity: [] }] },
      { ...place, longitudeE7: 2 ** 32 - 1000000, timestampMs: String(at) },
      { timestamp: '2026-11-20T09:30:15Z', activeWifiScan: { accessPoints: [] } },
    ]
    expect(read({ locations: records })).toEqual([fix, fix])
  })

  it('Timeline.json of Android gives raw signals, paths and activities, but no visits', () => {
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

  it('the list of iOS is read with minutes after the start of the segment', () => {
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

  it('a wrong location history is refused with line and path', () => {
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
