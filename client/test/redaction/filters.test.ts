import { describe, expect, it } from 'vitest'
import { fixesToSpeed, toDepositDecision } from '../../src/redaction/filters.ts'
import { START_MS } from '../../src/testing/fake-federation.ts'
import { MINUTE } from '../fixture.ts'

const HOME = { lat: 52.531, lng: 13.39 }
const METRE = 1 / 111_195

function at(place: { lat: number; lng: number }, time: number, offset = { lat: 0, lng: 0 }, accuracyM = 5) {
  return { lat: place.lat + offset.lat, lng: place.lng + offset.lng, accuracyM, at: time }
}

describe('the filters', () => {
  it('the speed between two fixes shows a ride, but not a jump after a gap or within the accuracy', () => {
    const here = at(HOME, START_MS)
    expect(fixesToSpeed(here, at({ lat: HOME.lat + 0.01, lng: HOME.lng }, START_MS + 20_000))).toBeGreaterThan(30)
    expect(fixesToSpeed(here, at({ lat: HOME.lat + 5, lng: HOME.lng }, START_MS + 16 * MINUTE))).toBe(0)
    expect(fixesToSpeed(here, at(HOME, START_MS + 1000, { lat: 8 * METRE, lng: 0 }))).toBe(0)
    expect(fixesToSpeed(undefined, here)).toBe(0)
  })

  it('rows wait for home and for the night, and are then dropped near home, a zone or the bed', () => {
    const facts = { isRedacted: false, isHomeKnown: true, isNightOver: true, isNearBed: () => false }
    expect(toDepositDecision(facts)).toBe('release')
    expect(toDepositDecision({ ...facts, isNearBed: () => true })).toBe('drop')
    expect(toDepositDecision({ ...facts, isNightOver: false, isNearBed: () => true })).toBe('hold')
    expect(toDepositDecision({ ...facts, isHomeKnown: false, isNearBed: () => true })).toBe('hold')
    expect(toDepositDecision({ ...facts, isRedacted: true, isHomeKnown: false })).toBe('drop')
  })
})
