/** The draw of the place that a slip names. */
import { webcrypto } from 'node:crypto'
import { type Fix, loadCore } from '@geotrace/core-wasm'
import { spreadGrid } from '@geotrace/core-wasm/spread'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { cellToLatLng, cellToParent, latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { drawFix } from '../../src/spread/bucket.ts'
import { START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, MINUTE } from '../fixture.ts'
import { CAFE_REGION } from './spread-federation.ts'

const random = (n: number) => webcrypto.getRandomValues(new Uint8Array(n))
const fixAt = (at: number, lat = 1): Fix => ({ lat, lng: 2, at, accuracyM: 5 })

describe('the draw of a place', () => {
  it('weights fall from now to 14 days, so that a fix of seven days ago is drawn half as often as one of now', () => {
    const fixes = [fixAt(START_MS), fixAt(START_MS - 7 * DAY_MS), fixAt(START_MS - 13 * DAY_MS)]
    const drawn = [0, 0, 0]
    const draws = 30_000
    for (let i = 0; i < draws; i++) drawn[fixes.indexOf(drawFix(fixes, START_MS, random)!)]!++
    const weights = [14, 7, 1]
    // Six deviations: once in 10⁸ runs for each of the three.
    for (const [i, weight] of weights.entries()) {
      const p = weight / 22
      expect(Math.abs(drawn[i]! - draws * p)).toBeLessThan(6 * Math.sqrt(draws * p * (1 - p)))
    }
  })

  it('fixes of more than 14 days ago and of the future are never drawn', () => {
    const fixes = [fixAt(START_MS - 14 * DAY_MS), fixAt(START_MS - 20 * DAY_MS), fixAt(START_MS + 10 * MINUTE)]
    expect(drawFix(fixes, START_MS, random)).toBeUndefined()
    expect(drawFix([], START_MS, random)).toBeUndefined()
  })

  it('the café falls into the bucket that the centre of its H3 cell names', async () => {
    const core = await loadCore()
    const cell = latLngToCell(CAFE.lat, CAFE.lng, 12)
    const grid = spreadGrid([CAFE_REGION], 6)
    const bucket = grid.bucketOf(core.fixToCells(CAFE.lat, CAFE.lng)[0])
    expect(grid.cellOf(bucket).toString(16)).toBe(cellToParent(cell, 6))
    expect(cellToLatLng(grid.cellOf(bucket).toString(16))[0]).toBeCloseTo(CAFE.lat, 0)
  })
})
