/**
 * What a sync needs of a network: one framed request, one framed reply. PROTOCOL.md §6.
 * A session lasts for one sync and must not let a peer recognise the device in the next one.
 */
import type { Protocol } from '@geotrace/core-wasm/wire'

/** Where to reach a peer: its Ed25519 key and its multiaddrs. */
export interface PeerAddress {
  readonly key: Uint8Array
  readonly addresses: readonly string[]
}

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
