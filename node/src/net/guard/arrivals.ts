/**
 * Decides which requesters may start a handshake while handshakes use all CPU. PROTOCOL.md §6.5.
 * Only its own table changes; time is an argument. A handshake is the most expensive work that a stranger can cause:
 * about 5 ms of our CPU for one packet. A phone needs one an hour. During a flood a requester that returns sooner
 * therefore waits, and a requester that connects once is served almost as usual.
 */
import { PREFIXES_MAX } from '../limits.ts'

/** Minimum time between two handshakes of one requester during a flood. */
export const AGAIN_MS = 20_000
/** Handshakes a second that make a flood: a quarter of a core. With fewer, other work keeps the node busy. */
export const MANY_A_SECOND = 50
/** A flood ends after this time without flood conditions. The delay itself relieves the node, and must not end the flood. */
export const CROWDED_MS = 30_000

/** Remembered addresses of members. A federation has a thousand members at most, and some change their address. */
export const KNOWN_MAX = 4_096

export interface Arrivals {
  /** Whether a socket of this requester may start a handshake now. A permitted handshake is counted. */
  enter(source: string, nowMs: number): boolean
  /** A member of the federation connected from this address, which therefore never waits. */
  know(source: string): void
}

/** `isSaturated`: whether the event loop was busy without a pause in the last window. */
export function arrivals(isSaturated: () => boolean): Arrivals {
  /** Time of the last handshake of each requester, the oldest first. */
  const begun = new Map<string, number>()
  const known = new Set<string>()
  /** Times of the most recent handshakes of all requesters. */
  const latest: number[] = []
  let floodedUntilMs = Number.NEGATIVE_INFINITY

  /** Whether handshakes used all CPU recently. */
  const isFlooded = (nowMs: number): boolean => {
    const areMany = latest.length === MANY_A_SECOND && nowMs - latest[0]! < 1_000
    if (areMany && isSaturated()) floodedUntilMs = nowMs + CROWDED_MS
    return nowMs < floodedUntilMs
  }
  const forget = (nowMs: number): void => {
    for (const [source, atMs] of begun) {
      if (nowMs - atMs < AGAIN_MS && begun.size <= PREFIXES_MAX) return
      begun.delete(source)
    }
  }
  return {
    know(source) {
      known.add(source)
      const [first] = known
      if (known.size > KNOWN_MAX) known.delete(first!)
    },
    enter(source, nowMs) {
      forget(nowMs)
      if (begun.has(source) && !known.has(source) && isFlooded(nowMs)) return false
      begun.delete(source)
      begun.set(source, nowMs)
      latest.push(nowMs)
      if (latest.length > MANY_A_SECOND) latest.shift()
      return true
    },
  }
}
