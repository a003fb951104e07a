/**
 * The network as a sync uses it: one framed request, one framed reply. PROTOCOL.md §6. A session lasts for one sync, and must
 * not let a peer recognise the device in the next sync.
 */
import type { PeerAddress, Protocol } from '@geotrace/core-wasm/wire'

export interface RequestOptions {
  signal?: AbortSignal | undefined
}

export interface Session {
  /** The reply's bytes. Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED. */
  request(peer: PeerAddress, protocol: Protocol, frame: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  close(): Promise<void>
}

export interface Dialer {
  open(): Promise<Session>
}
