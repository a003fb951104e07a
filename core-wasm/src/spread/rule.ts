/**
 * The rule of a period, and the check of a published spread against it. PROTOCOL.md §9.3, §9.9. Pure: peers, devices and
 * everybody who holds the rosters come to the same answer.
 */
import { equalBytes } from '../wire/encoding/bytes.ts'
import { type CertifiedRoster, hashToRosterName, type RosterPeer } from '../wire/federation/roster.ts'
import { drawSpreadRoles, periodToRulingEpoch, periodToSpread } from '../wire/federation/spread-roles.ts'
import { isValidSpread, type Spread } from '../wire/messages/spread-counts.ts'
import type { SpreadParameters } from '../wire/spread-rules.ts'

/** The roster that rules a period, its spread, and the members that it draws. */
export interface SpreadRule {
  readonly spread: SpreadParameters
  readonly certified: CertifiedRoster
  readonly mixer: RosterPeer
  readonly teller: RosterPeer
}

/** Undefined when no roster is known for its ruling epoch, and when this period has no spread. */
export function periodToRule(
  inForce: (epoch: number) => CertifiedRoster | undefined,
  period: number,
): SpreadRule | undefined {
  const epoch = periodToRulingEpoch(period)
  const certified = epoch < 0 ? undefined : inForce(epoch)
  const spread = certified && periodToSpread(certified.roster, period)
  const roles = certified && spread && drawSpreadRoles(certified.roster, period)
  return certified && spread && roles && { spread, certified, ...roles }
}

/** Whether a spread has the parameters of the ruling roster, and names its roles. */
export function isRuledBy(spread: Spread, { spread: rule, certified, mixer, teller }: SpreadRule): boolean {
  const { members } = certified.roster
  return (
    spread.days === rule.periodDays &&
    spread.resolution === rule.resolution &&
    spread.epsilon === rule.epsilon &&
    spread.areas.length === rule.areas.length &&
    spread.areas.every((area, i) => area === rule.areas[i]) &&
    equalBytes(spread.roster, hashToRosterName(certified.hash)) &&
    members[spread.mixer] === mixer &&
    members[spread.teller] === teller
  )
}

/** Why a spread is not the one that the teller of this period published; undefined when it is. */
export function spreadToFault(
  spread: Spread,
  period: number,
  rule: SpreadRule,
  federation: Uint8Array,
): string | undefined {
  if (!equalBytes(spread.federation, federation)) return 'it belongs to another federation'
  if (spread.period !== period) return 'it belongs to another period'
  if (!isRuledBy(spread, rule)) return 'it differs from the roster that rules the period'
  return isValidSpread(spread, rule.teller.key) ? undefined : "the teller's signature fails"
}
