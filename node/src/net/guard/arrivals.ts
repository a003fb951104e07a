/**
 * Who may begin a handshake while handshakes take all that the node has: pure but for its own table; time is an argument.
 * PROTOCOL.md §6.5.
 * A handshake is the dearest thing that a stranger can have for nothing (some 5 ms, against a packet of the stranger's),
 * and an address that has just begun one and comes again is mostly not a phone: those come once an hour. So who comes
 * again soon waits at the door, and who comes once finds the node almost as it is in peace.
 */
import { PREFIXES_MAX } from '../limits.ts'

/** How long a source waits between two handshakes then. */
export const AGAIN_MS = 20_000
/** So many handshakes in a second are a quarter of a core: below that it is not they that keep the node busy. */
export const MANY_A_SECOND = 50
/** It lasts until it has not been so for as long: letting them wait helps, and that alone must not end it. */
export const CROWDED_MS = 30_000

/** Whence members came: there are a thousand at most, and some move. */
export const KNOWN_MAX = 4_096

export interface Arrivals {
  /** Whether a socket of this source may begin now; counted when it may. */
  enter(source: string, nowMs: number): boolean
  /** A member of the federation came from there: it never waits. */
  know(source: string): void
}

/** `isSaturated`: whether the event loop has had no rest of late. */
export function arrivals(isSaturated: () => boolean): Arrivals {
  /** When each began last; the oldest first. */
  const begun = new Map<string, number>()
  const known = new Set<string>()
  /** When the last ones were begun, whoever began them. */
  const latest: number[] = []
  let floodedUntilMs = Number.NEGATIVE_INFINITY

  /** Whether handshakes have taken all there was a moment ago. */
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
