/** The dated advice of an exposure, as the authority's advice.json gives it, and the text that a person may share. */
import { readFileSync } from 'node:fs'
import type { Certainty, Exposure } from '@geotrace/client'
import { describe, expect, it } from 'vitest'
import { type Advice, toDatedAdvice } from '../../app/src/exposures/advice.ts'
import { toSharedText } from '../../app/src/exposures/shared-text.ts'
import { format, withLater } from '../../app/src/text/text.ts'

const DAY = 24 * 60 * 60_000
const ADVICE = JSON.parse(readFileSync(new URL('../../app/public/advice.json', import.meta.url), 'utf8')) as Advice[]
const { day } = format()
const MET = new Date(2026, 10, 29, 12).getTime()
const exposure = (degree: number, certainty: Certainty) =>
  ({ degree, certainty, from: MET, to: MET + DAY / 96, lat: 52.52, lng: 13.405 }) as Exposure
const steps = (item: Exposure, nowMs: number, advice = ADVICE[0]!) =>
  toDatedAdvice(advice, item, nowMs, day)?.steps.join(' ') ?? ''

describe('the advice of an exposure', () => {
  it('the dates count from the day of the exposure', () => {
    const text = steps(exposure(1, 'high'), MET + DAY)
    expect(text).toContain(`Get tested on ${day(MET + 5 * DAY)}`)
    expect(text).toContain(`until ${day(MET + 10 * DAY)}`)
  })

  it('a date that is over becomes the later advice, or the step is left out', () => {
    const onTheDay = new Date(2026, 11, 4, 23, 59).getTime()
    expect(steps(exposure(1, 'high'), onTheDay)).toContain('Get tested on')
    const text = steps(exposure(1, 'high'), onTheDay + 2 * 60_000)
    expect(text).toContain('Get tested now.')
    expect(text).not.toContain('Get tested on')
    expect(steps(exposure(1, 'high'), MET + 11 * DAY)).not.toContain('until')
  })

  it('a direct and certain contact gets other advice than a possible one, or one of the second degree', () => {
    const texts = [exposure(1, 'high'), exposure(1, 'low'), exposure(2, 'high')].map((item) => steps(item, MET))
    expect(new Set(texts).size).toBe(3)
  })

  it('the advice of the demo has a rule for every degree and certainty, in each language', () => {
    expect(ADVICE.map(({ language }) => language)).toEqual(['en', 'de'])
    for (const degree of [1, 2, 3, 7]) {
      for (const certainty of ['high', 'medium', 'low'] as const) {
        for (const advice of ADVICE) {
          expect(steps(exposure(degree, certainty), MET, advice), `${degree} ${certainty}`).not.toBe('')
        }
      }
    }
  })

  it('the shared text names the place only when the person wants it', async () => {
    await withLater(Promise.resolve())
    expect(toSharedText(exposure(1, 'high'), false)).not.toMatch(/52\.52|13\.40/)
    expect(toSharedText(exposure(1, 'high'), true)).toContain('52.52000, 13.40500')
  })
})
