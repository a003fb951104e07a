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
import type { RosterBook } from './roster-book.ts'

/** For twenty members; more of them speak less often each, so that all together say as much. */
const PRESENCE_MS = 30_000
const PRESENCE_MEMBERS = 20
/** Missing for longer than this many heartbeats, a peer counts as away. */
const AWAY_BEATS = 3

export interface PresenceInit {
  signer: Signer
  book: RosterBook
  clock: Clock
  /** Where others reach this peer. */
  addresses(): readonly string[]
  members(): number
  say(message: GossipMessage): void
}
export interface PresenceBeat {
  start(): void
  /** Says it now, too: something changed. */
  beat(): void
  /** Since when a heartbeat means that its peer is there, Unix ms. */
  sinceMs(): number
  stop(): void
}

export function presenceBeat({ signer, book, clock, addresses, members, say }: PresenceInit): PresenceBeat {
  let cancel = (): void => {}
  let stopped = false
  const everyMs = (): number => PRESENCE_MS * Math.max(1, members() / PRESENCE_MEMBERS)
  const beat = (): void => {
    if (stopped) return
    const { newest } = book
    const roster = newest === undefined ? new Uint8Array(ROSTER_NAME_BYTES) : hashToRosterName(newest.hash)
    const height = newest?.roster.height ?? 0
    say(signPresence(signer, { time: clock.now(), height, roster, addresses: [...addresses()] }))
  }
  const tick = (): void => {
    beat()
    if (!stopped) cancel = clock.setTimer(tick, everyMs())
  }
  return {
    start: tick,
    beat,
    sinceMs: () => clock.now() - AWAY_BEATS * everyMs(),
    stop() {
      stopped = true
      cancel()
    },
  }
}
