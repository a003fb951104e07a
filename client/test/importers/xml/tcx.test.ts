/** The file follows Garmin's schema TrainingCenterDatabase version 2. No real file was at hand. */
import { describe, expect, it } from 'vitest'
import { AT as at, fixesOf, receiptOf, TIME } from '../reading.ts'

const point = (inner: string) =>
  `<Trackpoint><Time>${TIME}</Time>${inner}<HeartRateBpm><Value>90</Value></HeartRateBpm></Trackpoint>`
const POSITION = '<Position><LatitudeDegrees>48.1</LatitudeDegrees><LongitudeDegrees>11.5</LongitudeDegrees></Position>'
const tcx = (points: string) => `<?xml version="1.0"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities>
<Activity Sport="Running"><Id>${TIME}</Id><Lap StartTime="${TIME}"><Track>
${points}
</Track></Lap></Activity></Activities></TrainingCenterDatabase>`

describe('a TCX file', () => {
  it('the track points with a position are kept, and the points of a treadmill are counted', async () => {
    const text = tcx(`${point(POSITION)}\n${point('')}\n${point('')}`)
    expect(await fixesOf('a.tcx', text)).toEqual([{ lat: 48.1, lng: 11.5, at }])
    const receipt = await receiptOf('a.tcx', text)
    expect(receipt).toMatchObject({ entries: 3, leftOut: { 'no-position': 2 } })
    expect(receipt.first[0]?.line).toBe(5)
  })

  it('an accuracy in the extensions of a track point counts', async () => {
    const extension = '<Extensions><TPX><Accuracy>7</Accuracy></TPX></Extensions>'
    expect(await fixesOf('a.tcx', tcx(point(POSITION + extension)))).toEqual([
      { lat: 48.1, lng: 11.5, accuracyM: 7, at },
    ])
  })
})
