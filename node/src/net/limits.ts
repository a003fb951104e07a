/**
 * Bounds of a listening peer, each with its reason. PROTOCOL.md §6.5.
 * Stock libp2p 3.3 needs them: ten silent sockets block a stock node for ten seconds. It also counts by exact address,
 * so one IPv6 customer counts as many requesters (measured 2026-11).
 */
import { STREAMS_PER_PROTOCOL, WORK_BURST, WORK_PER_SECOND } from '@geotrace/core-wasm/transport'

export interface HostLimits {
  /** Open inbound connections of the host. One takes about 100 KiB, so all take 50 MiB on a volunteer's machine. */
  readonly connections: number
  /** Open connections of one requester (an IPv4 address or IPv6 /56). go-libp2p grants as many. */
  readonly perPrefix: number
  /** Open connections of one fence (an IPv6 /48): eight customers of a provider that assigns a /56 to each. */
  readonly perFence: number
  /**
   * Sockets of one port that have not sent a byte; at most a quarter of the files that the process may open.
   * A waiting socket costs 5 KiB. A closed socket that reconnects costs 0.2 ms of CPU (measured 2026-11).
   */
  readonly silent: number
  /** Time that a socket may stay silent. */
  readonly silentMs: number
  /** Connections whose handshake is not finished: in all, of one requester, of one fence. Stock libp2p has 10 and 10 s. */
  readonly pending: number
  readonly pendingPerPrefix: number
  readonly pendingPerFence: number
  /** New connections of one requester: a second, and at once. A handshake costs about 5 ms of CPU. */
  readonly newPerSecond: number
  readonly newBurst: number
  /** The host may close a connection that was unused for longer, to make room for a new one. */
  readonly idleMs: number
  /** The same for a new connection of an address or /48 that has its share. The requests of a sync follow each other sooner. */
  readonly restMs: number
  /** A connection in use may be closed for another one of its address after this time. A sync takes a few seconds. */
  readonly turnMs: number
  /** Requests that handlers answer at the same time. Further requests get BUSY. */
  readonly inFlight: number
  /** Work of one connection: a second, and at once. */
  readonly workPerSecond: number
  readonly workBurst: number
  /** Time for the handshake of an inbound connection. */
  readonly upgradeMs: number
  /** Time from the opening of a stream to the end of its request. */
  readonly readMs: number
  /** Time from the request to its answer. */
  readonly handleMs: number
  /** Time until the other side has taken the answer. */
  readonly writeMs: number
  /** Time from our answer until the other side has closed its half of the stream. */
  readonly lingerMs: number
  /** Time until a peer has accepted our gossip stream. */
  readonly gossipOpenMs: number
  /** Time to open a TCP connection: the way around the world, and one lost packet that is sent again after 1 s. */
  readonly connectMs: number
  /** Time to dial a peer: all its addresses, with the handshake. */
  readonly dialMs: number
  /** Time from the sent request to its whole answer. It exceeds the other side's `handleMs` and `writeMs` together. */
  readonly replyMs: number
}

export const HOST_LIMITS: HostLimits = {
  connections: 500,
  perPrefix: 8,
  perFence: 64,
  silent: 8_192,
  silentMs: 10_000,
  pending: 256,
  pendingPerPrefix: 4,
  pendingPerFence: 16,
  newPerSecond: 5,
  newBurst: 20,
  idleMs: 30_000,
  restMs: 2_000,
  turnMs: 10_000,
  inFlight: 256,
  workPerSecond: WORK_PER_SECOND,
  workBurst: WORK_BURST,
  upgradeMs: 3_000,
  readMs: 3_000,
  handleMs: 5_000,
  writeMs: 5_000,
  lingerMs: 2_000,
  gossipOpenMs: 10_000,
  // Below the 2 s after which a peer dials a missing link again, so that two attempts never overlap.
  connectMs: 1_800,
  dialMs: 5_000,
  replyMs: 11_000,
}

/** Our own requests in flight to one peer: one fewer, because the other side may see a stream close a moment later. */
export const REQUESTS_PER_PEER = STREAMS_PER_PROTOCOL - 1
/** Requests to one peer that wait for their turn. No task queues as many, so only a fault or a flood reaches this bound. */
export const REQUESTS_WAITING_PER_PEER = 1_024
/** Bytes received on all streams of unfinished requests. Without this bound 500 connections could hold 2 MiB each. */
export const INBOUND_BYTES_MAX = 67_108_864
/** A connection that received BUSY may send its next request after this time. The host reads it no earlier. */
export const BACKOFF_MS = 1_000
/** Each request before the end of the backoff doubles it, up to this. The host reads the connection sooner when it has room. */
export const BACKOFF_MAX_MS = 16_000
/** Address prefixes that the connection table remembers for their token buckets: about 200 bytes each. */
export const PREFIXES_MAX = 65_536
