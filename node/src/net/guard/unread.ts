/**
 * Whether a peer reads what it asks for: pure. A yamux PING of a number that it cannot know goes out among the answers,
 * and what comes back shows that those before were read. PROTOCOL.md §6.5. Without it the sockets of both sides take
 * megabytes of small answers before a write waits (2026-11: a hundred such peers cost others 13 times the time).
 */
import { STREAMS_PER_CONNECTION } from '../limits.ts'

/** Seldom enough that a phone's one to three requests cost nothing more. */
export const STREAMS_PER_PING = 4
/**
 * Who reads opens one stream for each that was open at the PING, and no more before it comes to the PING: eight, and
 * as many again for an answer that is on its way.
 */
export const STREAMS_UNREAD_MAX = 2 * STREAMS_PER_CONNECTION

export interface UnreadGauge {
  /** The peer opens a stream: a number to ping it with, if any. False when it has left too many unread. */
  opened(): { readonly ping?: number } | false
  /** It answers a ping. Whether it was ours. */
  answered(ping: number): boolean
}

/** `number` draws a u32 that nobody can guess. */
export function unreadGauge(number: () => number): UnreadGauge {
  let streams = 0
  let asked: number | undefined
  return {
    opened() {
      streams++
      if (asked !== undefined) return streams <= STREAMS_UNREAD_MAX ? {} : false
      if (streams < STREAMS_PER_PING) return {}
      streams = 0
      asked = number()
      return { ping: asked }
    },
    answered(ping) {
      if (ping !== asked) return false
      asked = undefined
      return true
    },
  }
}
