/** The periods of the spread that a device has to do with, and the members that they draw. PROTOCOL.md §9.3. Pure. */
import {
  type CertifiedRoster,
  DAY_MS,
  drawSpreadRoles,
  periodToRulingEpoch,
  periodToSpread,
  type RosterChain,
  type RosterPeer,
  type SpreadParameters,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'

/** The longest period. */
const PERIOD_MAX_DAYS = 14

export interface DrawnPeriod {
  readonly period: number
  readonly spread: SpreadParameters
  /** The roster that rules the period. */
  readonly certified: CertifiedRoster
  readonly mixer: RosterPeer
  readonly teller: RosterPeer
}

/** The periods that are not over and whose ruling roster is in force, newest first: that of now, and on its last day the next. */
export function openPeriods({ inForce }: Pick<RosterChain, 'inForce'>, nowMs: number): DrawnPeriod[] {
  const today = Math.floor(nowMs / DAY_MS)
  const periods: DrawnPeriod[] = []
  for (let period = today + 1; period > today - PERIOD_MAX_DAYS; period--) {
    const epoch = periodToRulingEpoch(period)
    const certified = epoch < 0 || epoch > timeToEpoch(nowMs) ? undefined : inForce(epoch)
    const spread = certified && periodToSpread(certified.roster, period)
    if (certified === undefined || spread === undefined || today >= period + spread.periodDays) continue
    const roles = drawSpreadRoles(certified.roster, period)
    if (roles !== undefined) periods.push({ period, spread, certified, ...roles })
  }
  return periods
}

/** The period of now; undefined when there is none. */
export function periodOfNow(rosters: Pick<RosterChain, 'inForce'>, nowMs: number): DrawnPeriod | undefined {
  return openPeriods(rosters, nowMs).find(({ period }) => period * DAY_MS <= nowMs)
}
