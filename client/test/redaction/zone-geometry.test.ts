import { describe, expect, it } from 'vitest'
import { isInZone } from '../../src/redaction/zone-geometry.ts'

const HOME = { lat: 52.531, lng: 13.39 }
const METRE = 1 / 111_195

describe('a zone', () => {
  it('a circle and a polygon contain their positions, also across the date line', () => {
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 99 * METRE, HOME.lng)).toBe(true)
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 101 * METRE, HOME.lng)).toBe(false)
    const corners = [
      { lat: -1, lng: 179 },
      { lat: 1, lng: 179 },
      { lat: 1, lng: -179 },
      { lat: -1, lng: -179 },
    ]
    expect(isInZone({ corners }, 0, 180)).toBe(true)
    expect(isInZone({ corners }, 0, -179.5)).toBe(true)
    expect(isInZone({ corners }, 0, 539.5)).toBe(true)
    expect(isInZone({ corners }, 0, 178.9)).toBe(false)
    expect(isInZone({ corners }, 1.1, 180)).toBe(false)
  })
})
