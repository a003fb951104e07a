/** The objects follow Google's Semantic Location History as locationhistoryformat.com documents it. No real file was at hand. */
import { describe, expect, it } from 'vitest'
import { receiptOf } from '../reading.ts'

describe('a month of the Semantic Location History', () => {
  it('a visit is left out, but its measured path is kept', async () => {
    const time = '1700472615000'
    const points = [{ latE7: 481000000, lngE7: 115000000, accuracyMeters: 12, timestampMs: time }]
    const visit = { location: { latitudeE7: 1, longitudeE7: 1 }, duration: { startTimestampMs: time } }
    const file = {
      timelineObjects: [{ placeVisit: visit }, { placeVisit: { ...visit, simplifiedRawPath: { points } } }],
    }
    expect(await receiptOf('2023_NOVEMBER.json', JSON.stringify(file))).toMatchObject({
      kept: 1,
      leftOut: { 'no-fix': 1 },
    })
  })
})
