/**
 * Decides when an address may start a handshake after one of its connections was closed for abuse. PROTOCOL.md §6.5.
 * Only its own table changes; time is an argument. Honest clients may share the address, so it is never refused: its
 * sockets wait for their turn. The turns come more seldom while the event loop has little time to spare, so that abuse
 * from many addresses leaves room for all others.
 */
import { PREFIXES_MAX } from '../limits.ts'

/** An address counts as abusive for this time after the last abuse. */
export const ABUSE_MS = 30_000
/** Time between two handshakes of one such address: fewer than `newPerSecond`, so that its clients are not too fast. */
export const TURN_MS = 500
/** Time between two handshakes of all such addresses. An abusive connection costs 40 to 150 ms of CPU (2026-11). */
export const TURN_OF_ALL_MS = 150
/** The same while the event loop works for more than `SPARE_SHARE` of its time. */
export const TURN_OF_ALL_BUSY_MS = 500
export const SPARE_SHARE = 0.5

interface Abusers {
  /** A connection of this prefix was closed for abuse. */
  add(prefix: string, nowMs: number): void
  has(prefix: string, nowMs: number): boolean
  /** Whether a waiting socket of an abusive prefix may start a handshake now. A permitted handshake is counted. */
  admit(prefix: string, nowMs: number): boolean
}

/** `utilisation`: the share of the last window in which the event loop worked. */
export function abusers(utilisation: () => number): Abusers {
  /** Time of the last abuse and of the last handshake of each prefix, by the time of the last abuse. */
  const prefixes = new Map<string, { readonly abusedMs: number; startedMs: number }>()
  let startedMs = Number.NEGATIVE_INFINITY

  const forget = (nowMs: number): void => {
    for (const [prefix, { abusedMs }] of prefixes) {
      if (nowMs - abusedMs < ABUSE_MS && prefixes.size <= PREFIXES_MAX) return
      prefixes.delete(prefix)
    }
  }
  return {
    add(prefix, nowMs) {
      const last = prefixes.get(prefix)?.startedMs ?? nowMs
      prefixes.delete(prefix)
      prefixes.set(prefix, { abusedMs: nowMs, startedMs: last })
      forget(nowMs)
    },
    has(prefix, nowMs) {
      forget(nowMs)
      return prefixes.has(prefix)
    },
    admit(prefix, nowMs) {
      const own = prefixes.get(prefix)
      const turnOfAllMs = utilisation() > SPARE_SHARE ? TURN_OF_ALL_BUSY_MS : TURN_OF_ALL_MS
      if (nowMs - startedMs < turnOfAllMs || nowMs - (own?.startedMs ?? Number.NEGATIVE_INFINITY) < TURN_MS)
        return false
      startedMs = nowMs
      if (own !== undefined) own.startedMs = nowMs
      return true
    },
  }
}
