/** The session of one sync with what it must not forget: the caller's signal, and how many bytes went up and down. */
import type { PeerAddress, Protocol } from '@geotrace/core-wasm/wire'
import type { Session } from './dialer.ts'

export interface Wire {
  request(peer: PeerAddress, protocol: Protocol, frame: Uint8Array): Promise<Uint8Array>
}

export interface Traffic {
  bytesUp: number
  bytesDown: number
}

export function countingWire(session: Session, traffic: Traffic, signal: AbortSignal | undefined): Wire {
  return {
    async request(peer, protocol, frame) {
      traffic.bytesUp += frame.length
      const reply = await session.request(peer, protocol, frame, { signal })
      traffic.bytesDown += reply.length
      return reply
    },
  }
}
