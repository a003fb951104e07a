/**
 * Sends this peer's presence: that it runs, which roster it knows, and where others reach it. PROTOCOL.md §7.5.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type GossipMessage,
  hashToRosterName,
  RELEASE_NAME_BYTES,
  ROSTER_NAME_BYTES,
  type Signer,
  signPresence,
} from '@geotrace/core-wasm/wire'
import { type Pace, REAL_PACE } from './pace.ts'
import type { RosterStore } from './roster-store.ts'

/** Above this number of members each member sends less often, so that the total stays the same. */
const PRESENCE_MEMBERS = 20
/** Several events may call for a presence at once, such as a new link to each peer at a start. One presence serves all. */
const BEAT_APART_MS = 1_000
/**
 * Delay from a new roster to the presence that names it. All peers certify the roster at the same moment, and so many
 * presences would delay votes that others still wait for. A peer that missed the roster asks another every two seconds.
 */
const AFTER_ROSTER_MS = 2_000
/** A peer counts as away when its last presence is older than this many intervals. */
const AWAY_BEATS = 3

interface PresenceInit {
  signer: Signer
  rosters: Pick<RosterStore, 'newest'>
  clock: Clock
  /** Where others reach this peer. */
  addresses(): readonly string[]
  /** The first bytes of the id of the release that this peer claims to run; zeros by default. */
  release?: Uint8Array
  members(): number
  say(message: GossipMessage): void
  pace?: Pace
}
export interface PresenceBeat {
  start(): void
  /** Sends a presence soon, at most one a second, because something changed. */
  beat(): void
  /** Sends a presence after a new roster, once the others had time to certify it themselves. */
  beatLater(): void
  /** A peer whose presence is at least this recent counts as present, Unix ms. */
  sinceMs(): number
  stop(): void
}

export function presenceBeat(init: PresenceInit): PresenceBeat {
  const { signer, rosters, clock, addresses, members, say, pace = REAL_PACE } = init
  const { release = new Uint8Array(RELEASE_NAME_BYTES) } = init
  let cancel = (): void => {}
  let cancelSoon: (() => void) | undefined
  let cancelLater: (() => void) | undefined
  let spokenMs = Number.NEGATIVE_INFINITY
  let stopped = false
  const share = (): number => Math.max(1, members() / PRESENCE_MEMBERS)
  const everyMs = (): number => pace.presenceMs * share()
  const speak = (): void => {
    if (stopped) return
    spokenMs = clock.now()
    const { newest } = rosters
    const roster = newest === undefined ? new Uint8Array(ROSTER_NAME_BYTES) : hashToRosterName(newest.hash)
    const height = newest?.roster.height ?? 0
    say(signPresence(signer, { time: clock.now(), height, roster, release, addresses: [...addresses()] }))
  }
  const beat = (): void => {
    if (stopped || cancelSoon !== undefined) return
    // The clock may have been set back since the last presence.
    const apartMs = BEAT_APART_MS * share()
    const waitMs = Math.min(apartMs, spokenMs + apartMs - clock.now())
    if (waitMs <= 0) {
      speak()
      return
    }
    cancelSoon = clock.setTimer(() => {
      cancelSoon = undefined
      speak()
    }, waitMs)
  }
  const beatLater = (): void => {
    if (stopped || cancelLater !== undefined) return
    cancelLater = clock.setTimer(() => {
      cancelLater = undefined
      beat()
    }, AFTER_ROSTER_MS * share())
  }
  const tick = (): void => {
    speak()
    if (!stopped) cancel = clock.setTimer(tick, everyMs())
  }
  return {
    start: tick,
    beat,
    beatLater,
    sinceMs: () => clock.now() - AWAY_BEATS * everyMs(),
    stop() {
      stopped = true
      cancel()
      cancelSoon?.()
      cancelLater?.()
    },
  }
}
