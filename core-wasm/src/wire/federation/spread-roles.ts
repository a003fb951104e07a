/**
 * The periods of a spread, and the draw of their mixers and tellers. PROTOCOL.md §9.3. Pure: the roster in force one day
 * before a period decides both, so that all peers and devices agree.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { EPOCHS_PER_DAY } from '../constants.ts'
import { bytesToHex, byteWriter, concatBytes, utf8 } from '../encoding/bytes.ts'
import type { SpreadParameters } from '../spread-rules.ts'
import type { Roster, RosterPeer } from './roster.ts'
import { isGone } from './roster-rules.ts'

interface SpreadRoles {
  readonly mixer: RosterPeer
  readonly teller: RosterPeer
}

/** The epoch whose roster rules a period and draws its roles: a day before the period, so that its keys come in time. */
export function periodToRulingEpoch(period: number): number {
  return (period - 1) * EPOCHS_PER_DAY
}

/** The spread of a period under the roster that rules it; undefined when no period begins on this UTC day. */
export function periodToSpread({ spread }: Pick<Roster, 'spread'>, period: number): SpreadParameters | undefined {
  return spread !== undefined && period % spread.periodDays === 0 ? spread : undefined
}

/**
 * The mixer and the teller of a period: the members of the first two operators by H("geotrace/spread" ‖ rank ‖ period).
 * An operator brings the member with the lowest H("geotrace/spread" ‖ key ‖ period), so more members win it no more periods.
 * The central peer's operator has no member. Undefined when fewer than two operators have a member that stays.
 */
export function drawSpreadRoles(roster: Roster, period: number): SpreadRoles | undefined {
  const staying = roster.members.filter(
    ({ key, operator }) => !isGone(roster, key) && !isGone(roster, roster.operators[operator]!.key),
  )
  const lots = new Map<number, { lot: string; member: RosterPeer; own: string }>()
  for (const member of staying) {
    const known = lots.get(member.operator)
    const own = toLot(member.key, period)
    const lot = known?.lot ?? toLot(roster.operators[member.operator]!.rank!, period)
    if (known === undefined || own < known.own) lots.set(member.operator, { lot, member, own })
  }
  const [first, second] = [...lots.values()].sort((a, b) => (a.lot < b.lot ? -1 : 1))
  return first === undefined || second === undefined ? undefined : { mixer: first.member, teller: second.member }
}

function toLot(bytes: Uint8Array, period: number): string {
  return bytesToHex(sha256(concatBytes(utf8('geotrace/spread'), bytes, byteWriter(4).u32(period).finish())))
}
