import { describe, expect, it } from 'vitest'
import { AT as at, expectRefusal, fixesOf, receiptOf } from '../reading.ts'

const read = (value: unknown) => fixesOf('a.json', JSON.stringify(value))

describe('Google Takeout', () => {
  const fix = { lat: 51.5, lng: -0.1, accuracyM: 13, at }

  it('Records.json is read with both notations of times and of negative degrees', async () => {
    const place = { latitudeE7: 515000000, accuracy: 13 }
    const records = [
      { ...place, longitudeE7: -1000000, timestamp: '2026-11-20T09:30:15Z', activity: [{ activity: [] }] },
      { ...place, longitudeE7: 2 ** 32 - 1000000, timestampMs: String(at) },
      { timestamp: '2026-11-20T09:30:15Z', activeWifiScan: { accessPoints: [] } },
    ]
    expect(await read({ locations: records })).toEqual([fix, fix])
  })

  it('Timeline.json of Android gives raw signals, paths and activities, but no visits', async () => {
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
    expect(await read(file)).toEqual([bare, bare, fix, { lat: 51.6, lng: -0.2, at: at + 900_000 }])
    expect((await receiptOf('a.json', JSON.stringify(file))).leftOut).toEqual({ 'no-fix': 3 })
  })

  it('the list of iOS is read with minutes after the start of the segment', async () => {
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
    expect(await read(list)).toEqual([bare, bare, { ...bare, at: at + 1_200_000 }])
  })

  it('a wrong record is left out with line and path', async () => {
    const head =
      '{\n "locations": [\n  {"latitudeE7": 1, "longitudeE7": 2, "timestampMs": "1732095015000"},\n  {"latitudeE7": '
    const receipt = await receiptOf('a.json', `${head}"x", "longitudeE7": 2, "timestamp": 1}]}`)
    expect(receipt.first).toEqual([
      {
        line: 4,
        reason: 'position-unreadable',
        detail: expect.stringMatching(/^\$\.locations\[1\]: the latitude "x" is not a number of degrees/),
      },
    ])
    expect(await receiptOf('a.json', head)).toMatchObject({ kept: 1, cutOff: true })
  })

  it('a wrong location history is refused with line and path', async () => {
    const head = '{\n "locations": [\n  {"latitudeE7": 1, "longitudeE7": 2, "timestampMs": "1732095015000"},\n  {"a": '
    await expectRefusal('a.json', `${head}oops`, 4, /not JSON after \$\.locations\[0\]/)
    await expectRefusal('a.json', '"hello"', 1, /neither an object nor a list/)
    await expectRefusal('a.json', '<kml/>', 1, /not JSON/)
    await expectRefusal(
      'a.json',
      '{"locations": [{"latitudeE7": 1, "longitudeE7": 2}]}',
      1,
      /\$\.locations\[0\]: .*no time/,
    )
    const signal = { position: { LatLng: 'somewhere', timestamp: '2026-11-20T10:30:15Z' } }
    await expectRefusal(
      'a.json',
      JSON.stringify({ rawSignals: [signal] }),
      1,
      /\$\.rawSignals\[0\]\.position\.LatLng: "somewhere"/,
    )
    await expectRefusal('a.json', '{"locations": [', 0, /cut off/)
  })

  it('the files that Takeout puts beside a history are named as what they are', async () => {
    for (const [text, reason] of [
      ['{"createdTime": "x", "deviceSettings": [{"deviceTag": 1}]}', /the settings of a Google location history/],
      ['{"timelineEdits": [{"deviceId": "1"}]}', /list of edits/],
    ] as const) {
      await expect(fixesOf('Settings.json', text)).rejects.toMatchObject({
        code: 'IMPORT_INVALID',
        data: { file: 'Settings.json', line: 0, reason: expect.stringMatching(reason), noTrack: true },
      })
    }
  })
})
