/**
 * Decides which requesters may start a handshake while handshakes use all CPU, or after abuse. PROTOCOL.md §6.5.
 * Only its own table changes; time is an argument. A handshake is the most expensive work that a stranger can cause:
 * about 5 ms of our CPU for one packet. A phone needs one an hour. During a flood a requester that returns sooner
 * therefore waits, and a requester that connects once is served almost as usual.
 */
import { PREFIXES_MAX } from '../limits.ts'
import { abusers } from './abusers.ts'
import type { RequesterAddress } from './requester.ts'

/** Minimum time between two handshakes of one requester during a flood. */
export const HANDSHAKE_INTERVAL_MS = 20_000
/** Handshakes a second that make a flood: a quarter of a core. With fewer, other work keeps the node busy. */
export const FLOOD_HANDSHAKES = 50
/** A loop above this utilisation is saturated. Such a loop need not lag when its work comes in small tasks. */
export const SATURATED_SHARE = 0.9
/** A flood ends after this time without flood conditions. The delay itself relieves the node, and must not end the flood. */
export const FLOOD_MS = 30_000

/** Remembered addresses of members. A federation has a thousand members at most, and some change their address. */
export const KNOWN_MEMBERS_MAX = 4_096

/** A requester with a known address. */
export type KnownAddress = { readonly [K in keyof RequesterAddress]: string }

export interface Arrivals {
  /**
   * Whether a socket may start a handshake now. A permitted handshake is counted. After abuse only a socket that waits
   * already may, so that no newcomer overtakes it.
   */
  admit(requester: KnownAddress, nowMs: number, isWaiting: boolean): boolean
  /** A connection of this prefix was closed for abuse. */
  abused(prefix: string, nowMs: number): void
  /** A member of the federation connected from this fence, which therefore never waits. */
  addMember(fence: string): void
}

/** `utilisation`: the share of the last window in which the event loop worked. */
export function arrivals(utilisation: () => number): Arrivals {
  const abusive = abusers(utilisation)
  /** Time of the last handshake of each fence, the oldest first. */
  const started = new Map<string, number>()
  const members = new Set<string>()
  /** Times of the most recent handshakes of all requesters. */
  const latest: number[] = []
  let floodUntilMs = Number.NEGATIVE_INFINITY

  /** Whether handshakes used all CPU recently. */
  const isFlood = (nowMs: number): boolean => {
    const areMany = latest.length === FLOOD_HANDSHAKES && nowMs - latest[0]! < 1_000
    if (areMany && utilisation() > SATURATED_SHARE) floodUntilMs = nowMs + FLOOD_MS
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
    abused: abusive.add,
    admit({ prefix, fence }, nowMs, isWaiting) {
      forget(nowMs)
      const isStranger = !members.has(fence)
      if (isStranger && started.has(fence) && isFlood(nowMs)) return false
      if (isStranger && abusive.has(prefix, nowMs) && !(isWaiting && abusive.admit(prefix, nowMs))) return false
      started.delete(fence)
      started.set(fence, nowMs)
      latest.push(nowMs)
      if (latest.length > FLOOD_HANDSHAKES) latest.shift()
      return true
    },
  }
}
