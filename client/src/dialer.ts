/**
 * What a sync needs of a network: one framed request, one framed reply. PROTOCOL.md §6.
 * A session lasts for one sync and must not let a peer recognise the device in the next one.
 */
import {
  ROSTER_FRAME_MAX_BYTES,
  ROSTER_PROTOCOL,
  SALT_ANSWER_MAX_BYTES,
  SALT_PROTOCOL,
  SALT_REQUEST_MAX_BYTES,
  SYNC_PROTOCOL,
  SYNC_REPLY_MAX_BYTES,
  SYNC_REQUEST_MAX_BYTES,
} from '@geotrace/core-wasm/wire'

export interface Protocol {
  readonly id: string
  readonly requestMaxBytes: number
  readonly replyMaxBytes: number
}

export const SALT: Protocol = {
  id: SALT_PROTOCOL,
  requestMaxBytes: SALT_REQUEST_MAX_BYTES,
  replyMaxBytes: SALT_ANSWER_MAX_BYTES,
}
export const SYNC: Protocol = {
  id: SYNC_PROTOCOL,
  requestMaxBytes: SYNC_REQUEST_MAX_BYTES,
  replyMaxBytes: SYNC_REPLY_MAX_BYTES,
}
export const ROSTER: Protocol = {
  id: ROSTER_PROTOCOL,
  requestMaxBytes: 8,
  replyMaxBytes: ROSTER_FRAME_MAX_BYTES,
}

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
