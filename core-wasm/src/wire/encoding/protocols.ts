/**
 * The stream protocols with their names and bounds. PROTOCOL.md §6.1, §7. A stream carries one request and one reply.
 */
import {
  EVALUATE_ANSWER_MAX_BYTES,
  EVALUATE_REQUEST_MAX_BYTES,
  GOSSIP_MAX_BYTES,
  HASH_BYTES,
  PAID_FRAME_BYTES,
  PINS_MAX,
  ROSTER_MAX_BYTES,
  SALT_ANSWER_MAX_BYTES,
  SALT_REQUEST_MAX_BYTES,
  SEALED_FRAME_BYTES,
  SEEDS_REPLY_MAX_BYTES,
  SEEDS_REQUEST_MAX_BYTES,
  SIGNATURE_BYTES,
  SPREAD_ITEM_BYTES,
  SPREAD_PART_MAX,
  SPREAD_SLIP_BYTES,
  SYNC_REPLY_MAX_BYTES,
  SYNC_REQUEST_MAX_BYTES,
} from '../constants.ts'

export interface Protocol {
  readonly id: string
  /** Bytes of the frame without its length prefix. */
  readonly requestMaxBytes: number
  readonly replyMaxBytes: number
}

/** Where to reach a peer: its Ed25519 key and its multiaddrs. */
export interface PeerAddress {
  readonly key: Uint8Array
  readonly addresses: readonly string[]
}

/**
 * The header of every request over HTTPS: name and value. With it a browser asks the peer first, by a preflight request,
 * whether pages of this origin may send requests.
 */
export const REQUEST_HEADER = ['geotrace', '1'] as const

/** Bytes of a roster with its status and the pins that come with it. */
export const ROSTER_FRAME_MAX_BYTES = ROSTER_MAX_BYTES + 16 + PINS_MAX * (4 + HASH_BYTES + SIGNATURE_BYTES)
/** The largest request submits a gossip message: version, operation, message. */
const ROSTER_REQUEST_MAX_BYTES = GOSSIP_MAX_BYTES + 2

export const SALT_PROTOCOL: Protocol = {
  id: '/geotrace/salt/1',
  requestMaxBytes: SALT_REQUEST_MAX_BYTES,
  replyMaxBytes: SALT_ANSWER_MAX_BYTES,
}
export const EVALUATE_PROTOCOL: Protocol = {
  id: '/geotrace/evaluate/1',
  requestMaxBytes: EVALUATE_REQUEST_MAX_BYTES,
  replyMaxBytes: EVALUATE_ANSWER_MAX_BYTES,
}
/** A sealed sync from a device to any member, which passes it on. */
export const RELAY_PROTOCOL: Protocol = {
  id: '/geotrace/relay/1',
  requestMaxBytes: PAID_FRAME_BYTES + SYNC_REQUEST_MAX_BYTES + SEALED_FRAME_BYTES,
  replyMaxBytes: SYNC_REPLY_MAX_BYTES + SEALED_FRAME_BYTES,
}
/** The same frames from a member to the central peer, without tokens. */
export const SEALED_PROTOCOL: Protocol = {
  id: '/geotrace/sealed/1',
  requestMaxBytes: SYNC_REQUEST_MAX_BYTES + SEALED_FRAME_BYTES,
  replyMaxBytes: SYNC_REPLY_MAX_BYTES + SEALED_FRAME_BYTES,
}
export const ROSTER_PROTOCOL: Protocol = {
  id: '/geotrace/roster/1',
  requestMaxBytes: ROSTER_REQUEST_MAX_BYTES,
  replyMaxBytes: ROSTER_FRAME_MAX_BYTES,
}
/** Only the replicas of one shard use it among themselves. */
export const SEEDS_PROTOCOL: Protocol = {
  id: '/geotrace/seeds/1',
  requestMaxBytes: SEEDS_REQUEST_MAX_BYTES,
  replyMaxBytes: SEEDS_REPLY_MAX_BYTES,
}
/** Only the central peer uses it, with the mixer and the teller of a period. */
export const SPREAD_PROTOCOL: Protocol = {
  id: '/geotrace/spread/1',
  requestMaxBytes: 6 + HASH_BYTES + 6 + SPREAD_PART_MAX * SPREAD_SLIP_BYTES,
  replyMaxBytes: 1 + HASH_BYTES + SIGNATURE_BYTES + 6 + SPREAD_PART_MAX * SPREAD_ITEM_BYTES,
}
