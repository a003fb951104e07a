import { describe, expect, it } from 'vitest'
import { fieldsToFix, namedFields, type PositionFields } from '../../../src/importers/fields/position.ts'
import { AT as at, TIME } from '../reading.ts'

const GOOD: PositionFields = { lat: '48.1', lng: '11.5', time: TIME }
const toFix = (fields: PositionFields) => fieldsToFix({ ...GOOD, ...fields }).fix
const refusal = (reason: string, detail: RegExp) =>
  expect.objectContaining({ reason, message: expect.stringMatching(detail) })

describe('the fields of a fix', () => {
  it('degrees are decimal, with a point or a comma, and may name their hemisphere', () => {
    for (const lat of ['48.1', '48,1', '+48.1', '4.81e1', 'N48.1', '48.1 N', '48.1°', '48.1Â°']) {
      expect(toFix({ lat }), lat).toEqual({ lat: 48.1, lng: 11.5, at })
    }
    expect(toFix({ northSouth: 'S', eastWest: 'west' })).toEqual({ lat: -48.1, lng: -11.5, at })
    expect(toFix({ lat: '-48.1', northSouth: 'S' }).lat).toBe(-48.1)
    expect(() => toFix({ northSouth: 'E' })).toThrow(refusal('position-unreadable', /48\.1 E/))
  })

  it('a missing, zero, impossible or unreadable position has a reason of its own', () => {
    for (const lat of ['', ' ', 'null', 'undefined', 'NaN', '-']) {
      expect(() => toFix({ lat }), lat).toThrow(refusal('no-position', /missing/))
    }
    expect(() => toFix({ lat: '0', lng: '-0.0' })).toThrow(refusal('position-zero', /0, 0/))
    expect(() => toFix({ lat: '90.1' })).toThrow(refusal('position-impossible', /90\.1/))
    expect(() => toFix({ lat: '151.2', lng: '-33.8' })).toThrow(refusal('position-impossible', /exchanged/))
    expect(() => toFix({ lng: '361' })).toThrow(refusal('position-impossible', /361/))
    expect(() => toFix({ lat: '48°06' })).toThrow(refusal('position-unreadable', /48°06/))
    expect([toFix({ lat: '0' }).lat, toFix({ lat: '-90' }).lat, toFix({ lng: '288.5' }).lng]).toEqual([0, -90, 288.5])
  })

  it('the largest accuracy counts in metres, 0 is unknown, and a negative accuracy means no position', () => {
    const toAccuracy = (...texts: string[]) =>
      toFix({ accuracies: texts.map((text) => ({ text, metres: 1 })) }).accuracyM
    expect([toAccuracy('7'), toAccuracy('7', '65.5', '3'), toAccuracy('0'), toAccuracy('null')]).toEqual([
      7,
      65.5,
      undefined,
      undefined,
    ])
    expect(toAccuracy('65 m')).toBe(65)
    expect(toAccuracy('100 ft')).toBeCloseTo(30.48)
    expect(toFix({ accuracies: [{ text: '10', metres: 0.3048 }] }).accuracyM).toBeCloseTo(3.048)
    expect(() => toAccuracy('-1')).toThrow(refusal('no-position', /negative/))
    for (const text of ['good', '5 parsecs']) {
      expect(() => toAccuracy(text)).toThrow(refusal('accuracy-unreadable', /metres/))
    }
  })

  it('the best name counts among several fields with one role, and empty fields are skipped', () => {
    const names = [
      ['recorded_at', 'later'],
      ['Time', ''],
      ['timestamp', TIME],
      ['lat', '1'],
      ['hAcc', '5'],
      ['precision', '9'],
      ['name', 'x'],
    ] as const
    expect(namedFields(names)).toEqual({
      time: TIME,
      lat: '1',
      accuracies: [
        { text: '5', metres: 1 },
        { text: '9', metres: 1 },
      ],
    })
  })
})
