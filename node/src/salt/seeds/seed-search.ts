/**
 * Repeats the search for missing seeds until none is missing. PROTOCOL.md §5.1.
 * One search runs at a time. The first searches follow every two seconds, later ones every 30 s.
 */
import type { Clock } from '@geotrace/core-wasm'
import { ROUND_MS } from '../../membership/agreement/due.ts'

/** Searches at the short interval, one minute in all. A seed that no replica had by then may be lost permanently. */
const SEEKS_EAGER = 30
const SEEK_SELDOM_MS = 30_000

interface SeedSearchInit {
  clock: Clock
  /** Looks for missing seeds of certified rosters; false when none is missing any more. */
  seek(): Promise<boolean>
  /** Called when a search throws; the search is repeated. */
  failed(): void
}
interface SeedSearch {
  /** Searches now, or once more after the search that is running, and at the short interval again. */
  begin(): void
  /** Whether the last search left a seed missing. */
  readonly isLacking: boolean
  /** Resolves when no search is running any more. */
  stop(): Promise<void>
}

export function seedSearch({ clock, seek, failed }: SeedSearchInit): SeedSearch {
  let stopped = false
  let cancel = (): void => {}
  let searching: Promise<void> | undefined
  let again = false
  let isLacking = false
  let inVain = 0

  const search = (): void => {
    if (stopped) return
    // A roster that comes during a search has seeds of its own, so one more search follows.
    again = searching !== undefined
    searching ??= seek()
      .catch(() => {
        failed()
        return true
      })
      .then((isMissing) => {
        searching = undefined
        isLacking = isMissing
        if (stopped || !(isMissing || again)) return
        cancel()
        const waitMs = ++inVain <= SEEKS_EAGER ? ROUND_MS : SEEK_SELDOM_MS
        cancel = clock.setTimer(search, again ? 0 : waitMs)
        again = false
      })
  }
  return {
    begin() {
      inVain = 0
      search()
    },
    get isLacking() {
      return isLacking
    },
    async stop() {
      stopped = true
      cancel()
      await searching
    },
  }
}
