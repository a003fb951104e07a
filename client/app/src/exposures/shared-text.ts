/** The text that a person may share of an exposure, with the place only when the person wants it. */
import type { Exposure } from '@geotrace/client'
import { coordinates } from '../coordinates.ts'
import { format, later, words } from '../text/text.ts'

export function toSharedText(exposure: Exposure, withPlace: boolean): string {
  const { from, to, certainty, degree } = exposure
  const { day, time } = format()
  return later().exposures.shared({
    ...{ day: day(from), from: time(from), to: time(to), isDirect: degree === 1 },
    certainty: words().certainty[certainty].word,
    ...(withPlace && { place: coordinates(exposure) }),
  })
}
