/**
 * A peer's heartbeat: that it is there, which roster it knows, where it can be reached. PROTOCOL.md §7.5.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type GossipMessage,
  hashToRosterName,
  ROSTER_NAME_BYTES,
  type Signer,
  signPresence,
} from '@geotrace/core-wasm/wire'
import { type Pace, REAL_PACE } from './pace.ts'
import type { RosterStore } from './roster-store.ts'

/** More members speak less often each, so that all together say as much. */
const PRESENCE_MEMBERS = 20
/** Several events that call for a heartbeat come at once, a new link to each peer at a start: one says it for all. */
const BEAT_APART_MS = 1_000
/**
 * From a roster to the heartbeat that tells of it: all come by it at once, and as many heartbeats as votes would hold up
 * the votes that others still wait for. Who missed it asks somebody every two seconds.
 */
const AFTER_ROSTER_MS = 2_000
/** Missing for longer than this many heartbeats, a peer counts as away. */
const AWAY_BEATS = 3

export interface PresenceInit {
  signer: Signer
  rosters: Pick<RosterStore, 'newest'>
  clock: Clock
  /** Where others reach this peer. */
  addresses(): readonly string[]
  members(): number
  say(message: GossipMessage): void
  pace?: Pace
}
export interface PresenceBeat {
  start(): void
  /** Says it soon, too: something changed. */
  beat(): void
  /** Says which roster it has, when the others have had time to come by it themselves. */
  beatLater(): void
  /** Since when a heartbeat means that its peer is there, Unix ms. */
  sinceMs(): number
  stop(): void
}

export function presenceBeat(init: PresenceInit): PresenceBeat {
  const { signer, rosters, clock, addresses, members, say, pace = REAL_PACE } = init
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
    say(signPresence(signer, { time: clock.now(), height, roster, addresses: [...addresses()] }))
  }
  const beat = (): void => {
    if (stopped || cancelSoon !== undefined) return
    // The clock may have been set back since.
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
