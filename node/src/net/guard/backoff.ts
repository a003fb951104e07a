/**
 * Connections that were told BUSY and are not read for a while: what else they ask waits in their own machines, where it
 * costs us nothing. PROTOCOL.md §6.5. When there is room sooner, the one that has waited longest is read again first: a
 * node that has caught up answers what is there, and an overload that is over is over for everybody.
 */
import type { MessageStream } from '@libp2p/interface'
import { HOLD_BACK_MAX_MS, HOLD_BACK_MS, STREAMS_PER_PROTOCOL } from '../limits.ts'

/** How often it is looked whether there is room. */
const LOOK_MS = 20
/** It is read again a little sooner than it was told: what is there then was asked too early, by whatever clock. */
const READ_AFTER = 0.8

export interface Backoff {
  /**
   * What to tell it, ms: twice as much when it asks before the last time is over, or turning away those who do not listen
   * costs more than what others get.
   */
  hold(connection: MessageStream, nowMs: number): number
}

/** `room` says how many requests may be let in now. */
export function backoff(room: () => number): Backoff {
  const last = new WeakMap<MessageStream, { readonly ms: number; readonly untilMs: number }>()
  /** In the order of their coming, each with what ends its wait. */
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
      // The socket under it went first.
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
