import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isClock, joinDateAndClock, textToMoment } from '../../../src/importers/fields/time.ts'

const toAt = (text: string) => textToMoment(text).at
const refusal = (reason: string, detail: RegExp) =>
  expect.objectContaining({ reason, message: expect.stringMatching(detail) })

describe('a time', () => {
  it('a time without a zone is read as UTC, and the moment says so', () => {
    expect(textToMoment('2019-01-25 20:00')).toEqual({ at: Date.UTC(2019, 0, 25, 20), assumedUtc: true })
    expect(textToMoment('2019-01-25 20:00Z').assumedUtc).toBe(false)
    expect(textToMoment('2019-01-25 20:00', '+02:00')).toEqual({ at: Date.UTC(2019, 0, 25, 18), assumedUtc: false })
  })

  it('every notation of one moment gives that moment', () => {
    const notations = [
      '2019-01-25T20:00:00Z',
      '2019-01-25T20:00:00.000z',
      '2019-01-25 20:00:00 UTC',
      '2019/01/25 20:00:00+00',
      '2019/1/25 20:00:00 GMT',
      '2019-01-25T21:30:00+0130',
      '2019-01-25T18:00:00,000-02:00',
      '20190125T200000Z',
      '20190125200000',
      '2019-01-25T19:59:60Z',
      '2019-01-25 22:00 UTC+2',
    ]
    for (const text of notations) expect(toAt(text), text).toBe(Date.UTC(2019, 0, 25, 20))
  })

  it('a number is read in the unit that lies between 1990 and 2099', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1990, 0) / 1000, max: Date.UTC(2099, 11) / 1000 }), (seconds) => {
        for (const factor of [1, 1e3, 1e6, 1e9]) {
          const text = factor === 1 ? `${seconds}` : `${seconds}${'0'.repeat(Math.log10(factor))}`
          // Fourteen digits from 19… on are a date and a time of day.
          if (!/^(19|20)\d{12}$/.test(text)) expect(toAt(text)).toBe(seconds * 1000)
        }
      }),
    )
  })

  it('an impossible time is refused with what is wrong', () => {
    const cases: [string, string, RegExp][] = [
      ['2026-02-30T09:30:15Z', 'time-impossible', /no calendar/],
      ['2019-13-25 20:00', 'time-impossible', /no calendar/],
      ['2019-01-25 25:00', 'time-impossible', /no day/],
      ['0000-11-20T09:30:45Z', 'time-impossible', /1990 … 2099/],
      ['1901-12-13T20:45:52Z', 'time-impossible', /1990 … 2099/],
      ['46346.39600', 'time-impossible', /spreadsheet/],
      ['-5', 'time-impossible', /every unit/],
      ['2019-01-25T20:00:00+15:00', 'time-impossible', /zone/],
      ['11/20/2026 9:30:15 PM', 'time-unreadable', /which number is the day/],
      ['25.01.2019', 'time-unreadable', /which number is the day/],
      ['2019-01-25', 'time-unreadable', /no time of day/],
      ['20:00', 'time-unreadable', /no date/],
      ['yesterday', 'time-unreadable', /cannot be read/],
    ]
    for (const [text, reason, detail] of cases) expect(() => toAt(text), text).toThrow(refusal(reason, detail))
  })

  it('a date and a time of day from two columns are joined', () => {
    expect(toAt(joinDateAndClock('190125', '200000'))).toBe(Date.UTC(2019, 0, 25, 20))
    expect(toAt(joinDateAndClock('2019/01/25', '20:00:00.5'))).toBe(Date.UTC(2019, 0, 25, 20, 0, 0, 500))
    expect([isClock('20:00'), isClock('200000'), isClock('2019-01-25 20:00'), isClock('1548446440')]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
