/**
 * Stops reading connections that received BUSY, for a while. PROTOCOL.md §6.5. Their further requests wait on the
 * client's machine, where they cost us nothing. When the host has room sooner, it resumes the connection that has waited
 * longest first, so that an overload ends for all clients at once.
 */
import { STREAMS_PER_PROTOCOL } from '@geotrace/core-wasm/transport'
import type { MessageStream } from '@libp2p/interface'
import { BACKOFF_MAX_MS, BACKOFF_MS } from '../limits.ts'

/** Interval at which the host checks for room. */
const CHECK_MS = 20
/** Share of the announced time after which reading resumes. Requests found then were sent too early by any clock. */
const READ_AFTER = 0.8

export interface Backoff {
  /**
   * Pauses the connection and returns the time to announce, ms. The time doubles when the client asks before the last one
   * is over. Otherwise refusing clients that ignore BUSY would cost more than answering the others.
   */
  pause(connection: MessageStream, nowMs: number): number
}

/** `room`: how many further requests the host accepts now. */
export function backoff(room: () => number): Backoff {
  const last = new WeakMap<MessageStream, { readonly ms: number; readonly untilMs: number }>()
  /** Paused connections, the oldest first, each with the timer that resumes it. */
  const paused = new Map<MessageStream, NodeJS.Timeout>()
  let checking: NodeJS.Timeout | undefined

  function resume(connection: MessageStream): void {
    clearTimeout(paused.get(connection))
    paused.delete(connection)
    if (paused.size === 0) {
      clearInterval(checking)
      checking = undefined
    }
    try {
      if (connection.status === 'open') connection.resume()
    } catch {
      // The socket was closed before its connection.
      connection.abort(new Error('the socket closed during the backoff'))
    }
  }
  function check(): void {
    const connections = Math.floor(room() / STREAMS_PER_PROTOCOL)
    for (const connection of [...paused.keys()].slice(0, connections)) resume(connection)
  }

  return {
    pause(connection, nowMs) {
      const before = last.get(connection)
      if (before !== undefined && paused.has(connection)) return before.ms
      const ms = before !== undefined && nowMs < before.untilMs ? Math.min(2 * before.ms, BACKOFF_MAX_MS) : BACKOFF_MS
      if (connection.status !== 'open') return ms
      last.set(connection, { ms, untilMs: nowMs + ms })
      connection.pause()
      paused.set(connection, setTimeout(resume, ms * READ_AFTER, connection).unref())
      checking ??= setInterval(check, CHECK_MS).unref()
      return ms
    },
  }
}
