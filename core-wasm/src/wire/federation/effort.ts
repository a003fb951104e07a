/**
 * When operators agree on a roster. PROTOCOL.md §4.7, §4.9 "Timing". Pure functions of the roster and the time.
 */
import { EPOCH_MS, EPOCH_OPENS_BEFORE_MS, MINUTE_MS } from '../constants.ts'
import type { Roster } from './roster.ts'

/** Votes end this long before the secrets of the first epoch open, because clocks differ and certificates travel. */
const VOTE_MARGIN_MS = 2 * MINUTE_MS
/** The effort: operators begin to agree on a roster at most this long before votes end. */
const EFFORT_MAX_MS = 4 * 60 * MINUTE_MS

/** The effort, the time in which operators agree on a roster, Unix ms. */
interface EffortSpan {
  from: number
  /** The second half: a replica signs the sheet of its seed although it saw no majority with that seed. */
  signAnyFrom: number
  /** The last quarter: operators accept a sheet with fewer signatures, or a vacant shard, when more are not available. */
  makeDoFrom: number
  /** Exclusive. */
  to: number
}

/** The effort for the roster that begins with this epoch. */
export function effortSpan(periodEpochs: number, firstEpoch: number): EffortSpan {
  const to = firstEpoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS - VOTE_MARGIN_MS
  const lengthMs = Math.min(periodEpochs * EPOCH_MS, EFFORT_MAX_MS)
  return { from: to - lengthMs, signAnyFrom: to - lengthMs / 2, makeDoFrom: to - lengthMs / 4, to }
}

/** The first epoch at which the next roster can begin: periods begin at multiples of their length. */
export function followingPeriod({ firstEpoch, periodEpochs }: Pick<Roster, 'firstEpoch' | 'periodEpochs'>): number {
  return (Math.floor(firstEpoch / periodEpochs) + 1) * periodEpochs
}

/** The first epoch of the next period whose effort has not ended at `nowMs`. */
export function nextFirstEpoch(roster: Roster, nowMs: number): number {
  const { periodEpochs } = roster
  let next = followingPeriod(roster)
  while (nowMs >= effortSpan(periodEpochs, next).to) next += periodEpochs
  return next
}
