/** A spread as the teller of a period publishes it, over counts that a test chooses. PROTOCOL.md §9.9. */
import { periodToRule } from '../spread/rule.ts'
import type { CertifiedRoster } from '../wire/federation/roster.ts'
import { hashToRosterName } from '../wire/federation/roster.ts'
import { type Spread, type SpreadContent, signSpread } from '../wire/messages/spread-counts.ts'
import { keyToSigner } from './founding.ts'

/** `counts`: bucket 0 first. `change` falsifies what the teller signs. Throws RangeError for a period without a spread. */
export function testSpread(
  certified: CertifiedRoster,
  federation: Uint8Array,
  period: number,
  counts: readonly number[],
  change: Partial<SpreadContent> = {},
): Spread {
  const rule = periodToRule(() => certified, period)
  if (rule === undefined) throw new RangeError(`"period" expected a period with a spread, got ${period}`)
  const { members } = certified.roster
  const { areas, resolution, epsilon, periodDays: days } = rule.spread
  return signSpread(keyToSigner(rule.teller.key), {
    ...{ federation, period, days, resolution, epsilon, areas, counts },
    roster: hashToRosterName(certified.hash),
    mixer: members.indexOf(rule.mixer),
    teller: members.indexOf(rule.teller),
    ...change,
  })
}
