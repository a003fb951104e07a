import { DAY_MS, EPOCH_MS, HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { Exposure } from '../../src/exposures/exposure.ts'
import { toDailySummaries } from '../../src/protection/daily-summaries.ts'
import { fakeFederation, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, MINUTE, recordAll } from '../fixture.ts'

const DAY = 20_000
const NOON = DAY * DAY_MS + 12 * HOUR_MS
const met = (from: number, change: Partial<Exposure> = {}) =>
  ({ from, minutes: 10, degree: 1, certainty: 'medium', verdict: 'new', ...change }) as Exposure

describe('the summary of a day', () => {
  it('each of the last days has its compared minutes and its closest exposure', () => {
    const exposures = [
      met(NOON - DAY_MS, { certainty: 'low' }),
      met(NOON - DAY_MS + HOUR_MS, { degree: 2, certainty: 'high' }),
      met(NOON, { verdict: 'dismissed' }),
    ]
    const compared = [
      { epoch: Math.floor(NOON / EPOCH_MS), minutes: 35 },
      { epoch: Math.floor(NOON / EPOCH_MS) - 1, minutes: 80 },
    ]
    const summaries = toDailySummaries(NOON, 14, 0, compared, exposures)
    expect(summaries).toHaveLength(14)
    expect(summaries.map(({ from }) => from)).toEqual(Array.from({ length: 14 }, (_, i) => (DAY - 13 + i) * DAY_MS))
    expect(summaries.at(-1)).toMatchObject({
      comparedMinutes: 115,
      exposures: 0,
      degree: undefined,
      certainty: undefined,
    })
    // Direct contact is closer than contact of the second degree, however certain that one is.
    expect(summaries.at(-2)).toMatchObject({
      comparedMinutes: 0,
      exposures: 2,
      minutes: 20,
      degree: 1,
      certainty: 'low',
    })
  })

  it('the days begin at the midnights of the given time zone', () => {
    const late = DAY * DAY_MS + 23 * HOUR_MS
    const inUtc = toDailySummaries(late + 2 * HOUR_MS, 14, 0, [], [met(late)])
    const inParis = toDailySummaries(late + 2 * HOUR_MS, 14, 120, [], [met(late)])
    expect(inUtc.at(-2)!.exposures).toBe(1)
    expect(inParis.at(-1)!.exposures).toBe(1)
    expect(inParis.at(-1)!.from).toBe((DAY + 1) * DAY_MS - 120 * MINUTE_MS)
  })

  it('a tracer summarises the days that its federation keeps', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: false })
    await recordAll(tracer, [{ ...CAFE, accuracyM: 5, at: START_MS - 10 * MINUTE }])
    await tracer.sync()
    const summaries = await tracer.dailySummaries()
    expect(summaries).toHaveLength(14)
    expect(summaries.reduce((sum, { comparedMinutes }) => sum + comparedMinutes, 0)).toBe(5)
  })
})
