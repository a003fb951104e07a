import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shorterTurn } from '../../src/redaction/degrees.ts'
import { distanceM } from '../../src/redaction/place.ts'
import { isInZone } from '../../src/redaction/zone-geometry.ts'

const HOME = { lat: 52.531, lng: 13.39 }
const METRE = 1 / 111_195
const box = (west: number, east: number, south: number, north: number) => ({
  corners: [
    { lat: south, lng: west },
    { lat: south, lng: east },
    { lat: north, lng: east },
    { lat: north, lng: west },
  ],
})

describe('a zone', () => {
  it('a circle contains the positions within its radius, also across 180° and round a pole', () => {
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 99 * METRE, HOME.lng)).toBe(true)
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 101 * METRE, HOME.lng)).toBe(false)
    expect(isInZone({ lat: -16.5, lng: 179.999, radiusM: 500 }, -16.5, -179.999)).toBe(true)
    expect(isInZone({ lat: 90, lng: 0, radiusM: 500 }, 89.999, 120)).toBe(true)
  })

  it('a polygon across 180° contains its positions and nothing on the other side of the Earth', () => {
    for (const zone of [box(179, -179, -1, 1), box(179, 181, -1, 1), box(-181, -179, -1, 1)]) {
      for (const lng of [180, -180, -179.5, 179.5, 539.5]) expect(isInZone(zone, 0, lng)).toBe(true)
      for (const lng of [178.9, -178.9, 0, 1, -1]) expect(isInZone(zone, 0, lng)).toBe(false)
      expect(isInZone(zone, 1.1, 180)).toBe(false)
    }
  })

  it('a polygon does not hide the meridian opposite to it', () => {
    expect(isInZone(box(13, 14, 52, 53), 52.5, 13.5)).toBe(true)
    expect(isInZone(box(13, 14, 52, 53), 52.5, -166.5)).toBe(false)
    expect(isInZone(box(-0.5, 0.5, 51, 52), 51.5, 180)).toBe(false)
  })

  it('a polygon round a pole contains the pole and all longitudes north of its sides', () => {
    const round = { corners: [0, 90, 180, -90].map((lng) => ({ lat: 70, lng })) }
    for (const lng of [0, 45, 179, -179, -91]) {
      expect(isInZone(round, 80, lng)).toBe(true)
      expect(isInZone(round, 60, lng)).toBe(false)
      expect(isInZone(round, -80, lng)).toBe(false)
    }
  })

  it('a turn of a polygon and a position by any longitude does not change whether it contains the position', () => {
    const lng = fc.integer({ min: -60, max: 60 })
    const corners = fc.array(fc.record({ lat: fc.integer({ min: -60, max: 60 }), lng }), { minLength: 3, maxLength: 8 })
    const position = fc.record({ lat: fc.integer({ min: -60, max: 60 }), lng: fc.integer({ min: -180, max: 180 }) })
    fc.assert(
      fc.property(corners, position, fc.integer({ min: -720, max: 720 }), (ring, at, turn) => {
        // Off the grid of the corners, so that rounding cannot move the position across a side.
        const [lat, own] = [at.lat + 0.123_456_7, at.lng + 0.234_567_8]
        const principal = (value: number) => value - 360 * Math.floor((value + 180) / 360)
        const turned = ring.map((corner) => ({ lat: corner.lat, lng: principal(corner.lng + turn) }))
        const before = isInZone({ corners: ring }, lat, own)
        expect(isInZone({ corners: turned }, lat, principal(own + turn))).toBe(before)
        expect(isInZone({ corners: [...ring].reverse() }, lat, own)).toBe(before)
        if (Math.abs(own) > 61) expect(before).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('distances and turns do not change when both places are turned by any longitude', () => {
    const degrees = fc.double({ min: -180, max: 180, noNaN: true })
    const lat = fc.double({ min: -89, max: 89, noNaN: true })
    fc.assert(
      fc.property(lat, degrees, lat, degrees, degrees, (south, west, north, east, turn) => {
        const before = distanceM({ lat: south, lng: west }, { lat: north, lng: east })
        const after = distanceM({ lat: south, lng: west + turn }, { lat: north, lng: east + turn })
        expect(Math.abs(after - before)).toBeLessThan(1)
        expect(shorterTurn(west, east) + shorterTurn(east, west)).toBe(0)
        expect(Math.abs(shorterTurn(west, east))).toBeLessThanOrEqual(180)
      }),
    )
  })
})
