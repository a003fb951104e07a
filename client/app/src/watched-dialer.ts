/**
 * A dialer that records every frame between the tracer and the network, so that the person can see every byte that
 * leaves. The Privacy view lists these frames.
 */
import type { Dialer, Protocol } from '@geotrace/client'
import { bytesToHex } from '@geotrace/core-wasm/wire'

export interface SentFrame {
  id: number
  /** Counts the sessions of the dialer. A sync has one. */
  session: number
  at: number
  /** The peer's key, hex. */
  peer: string
  protocol: string
  frame: Uint8Array
  replyBytes: number | undefined
  failed: boolean
}

/** Frames kept: a day of hourly syncs with their salt requests. */
export const FRAMES_KEPT = 200

export function watchedDialer(dialer: Dialer, onFrame: (frame: SentFrame) => void): Dialer {
  let [id, sessions] = [0, 0]
  return {
    async open() {
      const session = await dialer.open()
      const number = sessions++
      return {
        async request(peer, protocol: Protocol, frame, options) {
          const own = {
            id: id++,
            session: number,
            at: Date.now(),
            peer: bytesToHex(peer.key),
            protocol: protocol.id,
            frame: frame.slice(),
          }
          onFrame({ ...own, replyBytes: undefined, failed: false })
          try {
            const reply = await session.request(peer, protocol, frame, options)
            onFrame({ ...own, replyBytes: reply.length, failed: false })
            return reply
          } catch (error) {
            onFrame({ ...own, replyBytes: undefined, failed: true })
            throw error
          }
        },
        close: () => session.close(),
      }
    },
  }
}
