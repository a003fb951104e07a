import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addOpening, HIDDEN_MAX_MS, OPENINGS_APART_MS, toRetentionLimits } from '../../src/diary/retention.ts'

const DAY = 24 * 60 * 60_000
const T = 20_000 * DAY
const retentionMs = 14 * DAY
const time = fc.integer({ min: T - 100 * DAY, max: T + 100 * DAY })

/** The openings that a clock with these readings leaves. */
const openingsOf = (readings: readonly number[]) => readings.reduce<number[]>((all, at) => addOpening(all, at), [])

describe('the retention', () => {
  it('an old entry is hidden by the clock at once', () => {
    const limits = toRetentionLimits({ nowMs: T, retentionMs, openings: [T], provedMs: undefined })
    expect(limits.hideBeforeMs).toBe(T - retentionMs)
  })

  it('one reading of the clock, whatever it shows, deletes nothing without a proof', () => {
    fc.assert(
      fc.property(time, (nowMs) => {
        const limits = toRetentionLimits({ nowMs, retentionMs, openings: addOpening([], nowMs), provedMs: undefined })
        expect(limits.deleteFixesBeforeMs).toBe(Number.NEGATIVE_INFINITY)
        expect(limits.deleteAllBeforeMs).toBe(Number.NEGATIVE_INFINITY)
      }),
    )
  })

  it('after a jump of the clock nothing is deleted that was young before the jump, until 24 hours after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -90, max: 90 }), fc.array(fc.nat(DAY - 1), { maxLength: 10 }), (days, later) => {
        const before = Array.from({ length: 20 }, (_, i) => T - (19 - i) * DAY)
        const jumped = [0, ...later.sort((a, b) => a - b)].map((ms) => T + days * DAY + ms)
        for (const [i, nowMs] of jumped.entries()) {
          const openings = openingsOf([...before, ...jumped.slice(0, i + 1)])
          const limits = toRetentionLimits({ nowMs, retentionMs, openings, provedMs: undefined })
          expect(limits.deleteFixesBeforeMs).toBeLessThanOrEqual(T - retentionMs)
          expect(limits.deleteAllBeforeMs).toBeLessThanOrEqual(T - retentionMs)
        }
      }),
    )
  })

  it('a deleted entry was hidden at an opening before and is hidden now, or is old by proved time', () => {
    fc.assert(
      fc.property(
        fc.array(time, { minLength: 1, maxLength: 40 }),
        fc.option(time, { nil: undefined }),
        (all, provedMs) => {
          const nowMs = all.at(-1)!
          const openings = openingsOf(all)
          const { hideBeforeMs, deleteFixesBeforeMs, deleteAllBeforeMs } = toRetentionLimits({
            nowMs,
            retentionMs,
            openings,
            provedMs,
          })
          const proved = (provedMs ?? Number.NEGATIVE_INFINITY) - retentionMs
          expect(deleteAllBeforeMs).toBeLessThanOrEqual(Math.max(proved, hideBeforeMs - HIDDEN_MAX_MS))
          expect(deleteFixesBeforeMs).toBeLessThanOrEqual(Math.max(proved, hideBeforeMs - OPENINGS_APART_MS))
          expect(deleteAllBeforeMs).toBeLessThanOrEqual(deleteFixesBeforeMs)
          expect(openings.length).toBeLessThanOrEqual(17)
          expect(openings.every((item) => item <= nowMs)).toBe(true)
        },
      ),
    )
  })

  it('a device that is opened daily deletes fixes a day after they were hidden, and everything 14 days after', () => {
    const readings = Array.from({ length: 40 }, (_, i) => T + i * DAY)
    const nowMs = readings.at(-1)!
    const limits = toRetentionLimits({ nowMs, retentionMs, openings: openingsOf(readings), provedMs: undefined })
    expect(limits.deleteFixesBeforeMs).toBe(nowMs - retentionMs - DAY)
    expect(limits.deleteAllBeforeMs).toBe(nowMs - retentionMs - HIDDEN_MAX_MS)
  })
})
