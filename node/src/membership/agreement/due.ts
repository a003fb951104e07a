/**
 * The roster on which operators should agree now, and how long this peer has tried for it. PROTOCOL.md §4.7.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  effortSpan,
  nextFirstEpoch,
  type Predecessor,
  type Roster,
  succeed,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../roster-store.ts'

/** Interval between rounds while a roster is due. */
export const ROUND_MS = 2_000
/** Longest interval between two rounds while no roster is due. Each round asks one peer for news. */
const QUIET_MS = 60_000
/** A peer accepts incomplete sheets only after this time, because a peer that just began knows too few of them. */
const MAKE_DO_AFTER_MS = 60_000

/** A roster that is due. The roster before fixes which members hold which shards; everything else is still open. */
export interface DueRoster {
  readonly height: number
  readonly firstEpoch: number
  readonly predecessor: Predecessor
  /** Without sheets, changes and reveals. */
  readonly roster: Roster
}

/** The first epoch of the roster that operators should agree on at `nowMs`; undefined while none is due. */
export function dueEpoch(founding: Roster, newest: Roster | undefined, nowMs: number): number | undefined {
  if (newest === undefined) return founding.firstEpoch
  const firstEpoch = nextFirstEpoch(newest, nowMs)
  return nowMs < effortSpan(newest.periodEpochs, firstEpoch).from ? undefined : firstEpoch
}

/** Time until the next round, ms. */
export function roundWaitMs(newest: Roster | undefined, nowMs: number): number {
  if (newest === undefined) return ROUND_MS
  const { from } = effortSpan(newest.periodEpochs, nextFirstEpoch(newest, nowMs))
  return nowMs >= from ? ROUND_MS : Math.min(QUIET_MS, Math.max(ROUND_MS, from - nowMs))
}

export class DueWatch {
  readonly #founding: Roster
  readonly #rosters: RosterStore
  readonly #clock: Pick<Clock, 'now'>
  #known: DueRoster | undefined
  #knownAfter: CertifiedRoster | undefined
  #since: { readonly firstEpoch: number; readonly at: number } | undefined

  constructor(founding: Roster, rosters: RosterStore, clock: Pick<Clock, 'now'>) {
    this.#founding = founding
    this.#rosters = rosters
    this.#clock = clock
  }

  /** The same object while nothing changed, because what is derived from a roster is cached by object. */
  current(): DueRoster | undefined {
    const { newest } = this.#rosters
    const firstEpoch = dueEpoch(this.#founding, newest?.roster, this.#clock.now())
    if (firstEpoch === undefined) return undefined
    if (this.#known?.firstEpoch !== firstEpoch || this.#knownAfter !== newest) {
      this.#knownAfter = newest
      this.#known = this.#after(newest, firstEpoch)
    }
    return this.#known
  }

  /** How long this peer has tried for a roster, ms. The first call begins the count. */
  triedMs({ firstEpoch }: DueRoster): number {
    if (this.#since?.firstEpoch !== firstEpoch) this.#since = { firstEpoch, at: this.#clock.now() }
    return this.#clock.now() - this.#since.at
  }

  /** Whether the last quarter of the effort has begun. Then sheets that fewer than a majority signed are accepted. */
  isShort(due: DueRoster): boolean {
    const { makeDoFrom } = effortSpan(due.roster.periodEpochs, due.firstEpoch)
    return due.height > 0 && this.#clock.now() >= makeDoFrom && this.triedMs(due) >= MAKE_DO_AFTER_MS
  }

  #after(newest: CertifiedRoster | undefined, firstEpoch: number): DueRoster {
    const { predecessor } = this.#rosters
    if (newest === undefined) return { height: 0, firstEpoch, predecessor, roster: this.#founding }
    const roster = succeed(newest, { firstEpoch, changes: [], commitments: [], reveals: [], sheets: [] })
    return { height: newest.roster.height + 1, firstEpoch, predecessor, roster }
  }
}
