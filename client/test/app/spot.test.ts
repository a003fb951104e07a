/** The tapped place on the map: the nearest fix and exposure under a finger, and the diary's shown entries. */
import type { DiaryEntry, Exposure } from '@geotrace/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestExposure, nearestFix } from '../../app/src/map/spot.ts'
import { withFix } from '../../app/src/session/diary-entries.ts'

const CAMERA = { lat: 52.52, lng: 13.405, zoom: 18 }
const SIZE = { width: 800, height: 600 }
const MINUTE = 60_000
const fixAt = (lat: number, at = 0): DiaryEntry => ({ lat, lng: 13.405, at, state: 'waiting' })
const exposureAt = (lat: number, verdict: Exposure['verdict'] = 'new') => ({ lat, lng: 13.405, verdict }) as Exposure

describe('a tap on the map', () => {
  it('the nearest fix within a finger is chosen, and none when all are far away', () => {
    const [near, nearer, far] = [fixAt(52.52004), fixAt(52.52001), fixAt(52.53)]
    expect(nearestFix(CAMERA, CAMERA, SIZE, [near, far, nearer])).toBe(nearer)
    expect(nearestFix(CAMERA, CAMERA, SIZE, [far])).toBeUndefined()
  })

  it('an exposure that the user put away is not chosen', () => {
    const [open, away] = [exposureAt(52.52003), exposureAt(52.52, 'dismissed')]
    expect(nearestExposure(CAMERA, CAMERA, SIZE, [away, open])).toBe(open)
    expect(nearestExposure(CAMERA, CAMERA, SIZE, [away, exposureAt(52.52, 'archived')])).toBeUndefined()
  })
})

describe('the shown diary', () => {
  it('equals a diary with one fix for each five minutes, oldest first, whatever the order of the fixes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 })), (minutes) => {
        let shown: DiaryEntry[] = []
        const model = new Map<number, number>()
        for (const minute of minutes) {
          shown = withFix(shown, { lat: 0, lng: 0, at: minute * MINUTE })
          model.set(Math.floor(minute / 5), minute * MINUTE)
        }
        expect(shown.map(({ at }) => at)).toEqual([...model].sort(([a], [b]) => a - b).map(([, at]) => at))
      }),
    )
  })
})
