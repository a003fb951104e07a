/**
 * Decides which requesters may start a handshake while handshakes use all CPU. PROTOCOL.md §6.5.
 * Only its own table changes; time is an argument. A handshake is the most expensive work that a stranger can cause:
 * about 5 ms of our CPU for one packet. A phone needs one an hour. During a flood a requester that returns sooner
 * therefore waits, and a requester that connects once is served almost as usual.
 */
import { PREFIXES_MAX } from '../limits.ts'

/** Minimum time between two handshakes of one requester during a flood. */
export const HANDSHAKE_INTERVAL_MS = 20_000
/** Handshakes a second that make a flood: a quarter of a core. With fewer, other work keeps the node busy. */
export const FLOOD_HANDSHAKES = 50
/** A flood ends after this time without flood conditions. The delay itself relieves the node, and must not end the flood. */
export const FLOOD_MS = 30_000

/** Remembered addresses of members. A federation has a thousand members at most, and some change their address. */
export const KNOWN_MEMBERS_MAX = 4_096

export interface Arrivals {
  /** Whether a socket of this fence may start a handshake now. A permitted handshake is counted. */
  admit(fence: string, nowMs: number): boolean
  /** A member of the federation connected from this fence, which therefore never waits. */
  addMember(fence: string): void
}

/** `isSaturated`: whether the event loop was busy without a pause in the last window. */
export function arrivals(isSaturated: () => boolean): Arrivals {
  /** Time of the last handshake of each fence, the oldest first. */
  const started = new Map<string, number>()
  const members = new Set<string>()
  /** Times of the most recent handshakes of all requesters. */
  const latest: number[] = []
  let floodUntilMs = Number.NEGATIVE_INFINITY

  /** Whether handshakes used all CPU recently. */
  const isFlood = (nowMs: number): boolean => {
    const areMany = latest.length === FLOOD_HANDSHAKES && nowMs - latest[0]! < 1_000
    if (areMany && isSaturated()) floodUntilMs = nowMs + FLOOD_MS
    return nowMs < floodUntilMs
  }
  const forget = (nowMs: number): void => {
    for (const [fence, atMs] of started) {
      if (nowMs - atMs < HANDSHAKE_INTERVAL_MS && started.size <= PREFIXES_MAX) return
      started.delete(fence)
    }
  }
  return {
    addMember(fence) {
      members.add(fence)
      const [first] = members
      if (members.size > KNOWN_MEMBERS_MAX) members.delete(first!)
    },
    admit(fence, nowMs) {
      forget(nowMs)
      if (started.has(fence) && !members.has(fence) && isFlood(nowMs)) return false
      started.delete(fence)
      started.set(fence, nowMs)
      latest.push(nowMs)
      if (latest.length > FLOOD_HANDSHAKES) latest.shift()
      return true
    },
  }
}
