/**
 * Which periods something may still be told about and kept for. PROTOCOL.md §4.7. Pure.
 */
import { nextFirstEpoch, type Roster } from '@geotrace/core-wasm/wire'

/** Periods before the one that is due: a certificate for them may come late. */
const LATE_PERIODS = 2

/**
 * Whether the roster that begins with `firstEpoch` may still follow `newest`: the one that is due, those just before it,
 * and the next, since clocks differ. Signers cannot name others, so nobody fills a table with periods that never come.
 */
export function isPeriodOpen(newest: Roster, firstEpoch: number, nowMs: number): boolean {
  const { periodEpochs } = newest
  const due = nextFirstEpoch(newest, nowMs)
  if (firstEpoch % periodEpochs !== 0 || firstEpoch <= newest.firstEpoch) return false
  return firstEpoch >= due - LATE_PERIODS * periodEpochs && firstEpoch <= due + periodEpochs
}
