/**
 * Stops reading connections that received BUSY, for a while. PROTOCOL.md §6.5. Their further requests wait on the
 * client's machine, where they cost us nothing. When the host has room sooner, it resumes the connection that has waited
 * longest first, so that an overload ends for all clients at once.
 */
import type { MessageStream } from '@libp2p/interface'
import { HOLD_BACK_MAX_MS, HOLD_BACK_MS, STREAMS_PER_PROTOCOL } from '../limits.ts'

/** Interval at which the host checks for room. */
const LOOK_MS = 20
/** Share of the announced time after which reading resumes. Requests found then were sent too early by any clock. */
const READ_AFTER = 0.8

export interface Backoff {
  /**
   * Pauses the connection and returns the time to announce, ms. The time doubles when the client asks before the last one
   * is over. Otherwise refusing clients that ignore BUSY would cost more than answering the others.
   */
  hold(connection: MessageStream, nowMs: number): number
}

/** `room`: how many further requests the host accepts now. */
export function backoff(room: () => number): Backoff {
  const last = new WeakMap<MessageStream, { readonly ms: number; readonly untilMs: number }>()
  /** Paused connections, the oldest first, each with the timer that resumes it. */
  const waiting = new Map<MessageStream, NodeJS.Timeout>()
  let looking: NodeJS.Timeout | undefined

  function release(connection: MessageStream): void {
    clearTimeout(waiting.get(connection))
    waiting.delete(connection)
    if (waiting.size === 0) {
      clearInterval(looking)
      looking = undefined
    }
    try {
      if (connection.status === 'open') connection.resume()
    } catch {
      // The socket was closed before its connection.
      connection.abort(new Error('gone while it was held back'))
    }
  }
  function look(): void {
    const connections = Math.floor(room() / STREAMS_PER_PROTOCOL)
    for (const connection of [...waiting.keys()].slice(0, connections)) release(connection)
  }

  return {
    hold(connection, nowMs) {
      const before = last.get(connection)
      if (before !== undefined && waiting.has(connection)) return before.ms
      const ms =
        before !== undefined && nowMs < before.untilMs ? Math.min(2 * before.ms, HOLD_BACK_MAX_MS) : HOLD_BACK_MS
      if (connection.status !== 'open') return ms
      last.set(connection, { ms, untilMs: nowMs + ms })
      connection.pause()
      waiting.set(connection, setTimeout(release, ms * READ_AFTER, connection).unref())
      looking ??= setInterval(look, LOOK_MS).unref()
      return ms
    },
  }
}
