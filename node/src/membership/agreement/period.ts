/**
 * Which periods can still get a roster. Messages about other periods are ignored. PROTOCOL.md §4.7. Pure.
 */
import { nextFirstEpoch, type Roster } from '@geotrace/core-wasm/wire'

/** Periods before the due one that stay open, because a certificate may come late. */
const LATE_PERIODS = 2

/**
 * Whether the roster that begins with `firstEpoch` may still follow `newest`: the due period, those just before it, and
 * the next one because clocks differ. So no signer can fill a table with periods that never come.
 */
export function isPeriodOpen(newest: Roster, firstEpoch: number, nowMs: number): boolean {
  return firstEpoch > newest.firstEpoch && mayBeCertified(newest, firstEpoch, nowMs)
}

/**
 * The same, with periods before `newest`. Another peer may have a certificate for a period that a later roster overtook,
 * and the central peer may have pinned that roster.
 */
export function mayBeCertified(newest: Roster, firstEpoch: number, nowMs: number): boolean {
  const { periodEpochs } = newest
  const due = nextFirstEpoch(newest, nowMs)
  const isStart = firstEpoch % periodEpochs === 0
  return isStart && firstEpoch >= due - LATE_PERIODS * periodEpochs && firstEpoch <= due + periodEpochs
}
