/**
 * Detects a peer that reads no answers. PROTOCOL.md §6.5. A yamux PING with a secret number goes out among the answers.
 * The number comes back only after the peer has read the answers before it. Otherwise the sockets of both sides buffer
 * megabytes of small answers before a write blocks. A hundred such peers slowed others down 13 times (measured 2026-11).
 */
import { STREAMS_PER_CONNECTION } from '@geotrace/core-wasm/transport'

/** One ping for so many streams, so that the one to three requests of a phone cost nothing more. */
export const STREAMS_PER_PING = 4
/**
 * A client that reads answers in order opens at most 8 further streams before it answers a PING. That is one for each
 * stream open at that moment. The bound is twice that, for answers in transit.
 */
export const STREAMS_UNREAD_MAX = 2 * STREAMS_PER_CONNECTION

interface UnreadGauge {
  /** The peer opens a stream. Returns the number of a ping to send, if any; false when the peer left too many unread. */
  opened(): { readonly ping?: number } | false
  /** The peer answers a ping. Returns whether the ping was ours. */
  answered(ping: number): boolean
}

/** `number` draws an unguessable u32. */
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
