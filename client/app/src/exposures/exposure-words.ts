/** How sure the app is of an exposure, and the text that a person may share. */
import type { Certainty, Exposure } from '@geotrace/client'
import { day, place, time } from '../words.ts'

export const SURE: Readonly<Record<Certainty, { bars: number; word: string; why: string }>> = {
  high: {
    bars: 3,
    word: 'Quite sure',
    why: 'You were within 24 m in the same five minutes, and close together or for ten minutes.',
  },
  medium: { bars: 2, word: 'Likely', why: 'You were within 24 m and twenty minutes.' },
  low: { bars: 1, word: 'Possible', why: 'You were within 24 m, but only a longer span of time matched.' },
}

export function toSharedText(exposure: Exposure, withPlace: boolean): string {
  const { from, to, certainty, degree } = exposure
  const met = degree === 1 ? 'somebody who later reported a positive test' : 'a contact of somebody who tested positive'
  const where = withPlace ? ` Place: ${place(exposure)}.` : ''
  return `Geo Trace: on ${day(from)}, ${time(from)} to ${time(to)}, I was near ${met}. Certainty: ${SURE[certainty].word.toLowerCase()}.${where}`
}
