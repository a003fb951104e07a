/**
 * The rule that hides and deletes old entries, on plain numbers. DESIGN.md §10a "Clocks"; README "What is stored". An entry
 * older than the retention is hidden by the device's clock at once. One reading of the clock deletes nothing. Pure.
 */
import { DAY_MS } from '@geotrace/core-wasm/wire'

/** Two openings so far apart must agree before a fix is deleted without a proof. */
export const OPENINGS_APART_MS = DAY_MS
/** Without a proof everything is deleted so long after it was hidden. */
export const HIDDEN_MAX_MS = 14 * DAY_MS
/** The history is kept so long, or as long as the retention if that is shorter. */
export const HISTORY_MS = 14 * DAY_MS

interface RetentionFacts {
  readonly nowMs: number
  readonly retentionMs: number
  /** When the device was opened before, ascending, at most once a day. */
  readonly openings: readonly number[]
  /** The time that two clocks prove. */
  readonly provedMs: number | undefined
}

/** Unix ms. Older entries are hidden or deleted. */
export interface RetentionLimits {
  readonly hideBeforeMs: number
  /** Fixes and what is made of them. */
  readonly deleteFixesBeforeMs: number
  /** Marks, verdicts and rows too. */
  readonly deleteAllBeforeMs: number
}

export function toRetentionLimits({ nowMs, retentionMs, openings, provedMs }: RetentionFacts): RetentionLimits {
  const openedBefore = (agoMs: number): number =>
    openings.findLast((opening) => opening <= nowMs - agoMs) ?? Number.NEGATIVE_INFINITY
  // An entry that an opening hid was older than the retention by the clock of that opening, and is so by today's.
  const proved = Math.max(provedMs ?? Number.NEGATIVE_INFINITY, openedBefore(HIDDEN_MAX_MS))
  const agreed = Math.max(proved, openedBefore(OPENINGS_APART_MS))
  return {
    hideBeforeMs: nowMs - retentionMs,
    deleteFixesBeforeMs: agreed - retentionMs,
    deleteAllBeforeMs: proved - retentionMs,
  }
}

/** The openings to remember. A clock that went back makes later openings void. */
export function addOpening(openings: readonly number[], nowMs: number): number[] {
  const valid = openings.filter((opening) => opening <= nowMs)
  const isDue = valid.length === 0 || nowMs - valid.at(-1)! >= OPENINGS_APART_MS
  const all = isDue ? [...valid, nowMs] : valid
  const newestOld = all.findLastIndex((opening) => opening <= nowMs - HIDDEN_MAX_MS)
  return all.slice(Math.max(0, newestOld))
}
