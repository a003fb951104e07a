/** The periods of the spread that a device has to do with, and the members that they draw. PROTOCOL.md §9.3. Pure. */
import { periodToRule, type SpreadRule } from '@geotrace/core-wasm/spread'
import { DAY_MS, periodToRulingEpoch, type RosterChain, timeToEpoch } from '@geotrace/core-wasm/wire'

/** The longest period. */
const PERIOD_MAX_DAYS = 14

export interface DrawnPeriod extends SpreadRule {
  readonly period: number
}

/** The periods that are not over and whose ruling roster is in force, newest first: that of now, and on its last day the next. */
export function openPeriods({ inForce }: Pick<RosterChain, 'inForce'>, nowMs: number): DrawnPeriod[] {
  const today = Math.floor(nowMs / DAY_MS)
  const periods: DrawnPeriod[] = []
  for (let period = today + 1; period > today - PERIOD_MAX_DAYS; period--) {
    const rule = periodToRulingEpoch(period) > timeToEpoch(nowMs) ? undefined : periodToRule(inForce, period)
    if (rule !== undefined && today < period + rule.spread.periodDays) periods.push({ period, ...rule })
  }
  return periods
}

/** The period of now; undefined when there is none. */
export function periodOfNow(rosters: Pick<RosterChain, 'inForce'>, nowMs: number): DrawnPeriod | undefined {
  return openPeriods(rosters, nowMs).find(({ period }) => period * DAY_MS <= nowMs)
}
