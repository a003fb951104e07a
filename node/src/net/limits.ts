/**
 * Bounds of a listening peer, each with its reason. PROTOCOL.md §6.5. Measured 2026-11 on libp2p 3.3: ten silent
 * sockets lock a stock node for ten seconds, and it counts by exact address, so one IPv6 customer passes as many.
 */
export interface HostLimits {
  /** Open connections in all: about 100 KiB each, so 50 MiB on a volunteer's machine. */
  readonly connections: number
  /** Open connections of one IPv4 address or IPv6 /56: what go-libp2p grants. */
  readonly perPrefix: number
  /** Open connections of one IPv6 /48: eight customers of a provider that hands out /56. */
  readonly perFence: number
  /**
   * Sockets of one port that have not sent a byte; at most a quarter of the files that may be open. To wait costs 5 KiB,
   * to come again because one was closed 0.2 ms of CPU: so many have room, and keep it for a while (measured 2026-11).
   */
  readonly silent: number
  readonly silentMs: number
  /** Connections whose handshake is not finished; stock libp2p has 10 and 10 s. */
  readonly pending: number
  readonly pendingPerPrefix: number
  readonly pendingPerFence: number
  /** New connections a second of one prefix, and how many may come at once: a handshake costs about 5 ms CPU. */
  readonly newPerSecond: number
  readonly newBurst: number
  /** How long a prefix is kept out after a connection of it had to be closed for what it did. */
  readonly punishMs: number
  /** Connections unused for longer may be closed to make room for new ones. */
  readonly idleMs: number
  /** Requests being answered at once; beyond it peers are told BUSY. */
  readonly inFlight: number
  /** Work a second of one connection, and how much at once; a unit is about 10 µs, so one connection takes 1 % of a core. */
  readonly workPerSecond: number
  readonly workBurst: number
  /** Handshake of an inbound connection. */
  readonly upgradeMs: number
  /** From the opening of a stream to the end of its request. */
  readonly readMs: number
  /** From the request to its answer. */
  readonly handleMs: number
  /** Until the other side has taken the answer. */
  readonly writeMs: number
  /** From our answer until the other side has closed its half of the stream. */
  readonly lingerMs: number
  /** From the first packet to an open TCP connection: the way around the world and one lost packet, sent again after 1 s. */
  readonly connectMs: number
  /** All addresses of a peer, with the handshake. */
  readonly dialMs: number
  /** From the request sent to its whole answer; longer than the other side's `handleMs` and `writeMs` together. */
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
  punishMs: 30_000,
  idleMs: 30_000,
  inFlight: 256,
  workPerSecond: 1_000,
  workBurst: 4_000,
  upgradeMs: 3_000,
  readMs: 3_000,
  handleMs: 5_000,
  writeMs: 5_000,
  lingerMs: 2_000,
  // Below the two seconds after which a link is tried again, with a first packet that has not been put off.
  connectMs: 1_800,
  dialMs: 5_000,
  replyMs: 11_000,
}

/** Streams of one protocol that one connection may have open; a request is one stream. */
export const STREAMS_PER_PROTOCOL = 4
/** Our own requests in flight to one peer: one below, since the other side may see a stream close a moment later. */
export const REQUESTS_PER_PEER = STREAMS_PER_PROTOCOL - 1
/** Requests that wait for their turn to one peer: more than any task has, so only a fault or a flood reaches it. */
export const REQUESTS_WAITING_PER_PEER = 1_024
/** All streams of a connection: two protocols at full use. */
export const STREAMS_PER_CONNECTION = 8
/** yamux's smallest window; the largest frame is a roster of 256 KiB. */
export const STREAM_WINDOW_BYTES = 262_144
export const STREAM_WRITE_BUFFER_BYTES = 1_048_576
/** A connection whose peer reads nothing: replies of two streams at their largest, and then it goes. */
export const CONNECTION_WRITE_BUFFER_BYTES = 1_048_576
/** Of one stream: the largest frame, and what comes before it to name the protocol. */
export const STREAM_RECEIVED_MAX_BYTES = STREAM_WINDOW_BYTES + 16_384
/** Of all streams of requests under way; 500 connections might hold 2 MiB each otherwise. */
export const INBOUND_BYTES_MAX = 67_108_864
/** Of one request in frames of fewer bytes than these: whoever follows the protocol sends it whole, or in two or three. */
export const TINY_FRAME_BYTES = 8
export const TINY_FRAMES_MAX = 4
/** Noise messages that one frame may come in: the largest needs five. */
export const FRAME_PIECES_MAX = 256
/** When a connection that was told BUSY may ask again; it is not read before. */
export const HOLD_BACK_MS = 1_000
/** It is told twice as much when it asks before that, up to this; when there is room it is read sooner. */
export const HOLD_BACK_MAX_MS = 16_000
/** Handshake bytes: negotiation, Noise and muxer need less than 1 KiB; stock libp2p keeps 4 MiB. */
export const HANDSHAKE_MAX_BYTES = 16_384
/**
 * Units of work, measured 2026-11: a message or frame, a KiB, a ping that wants an answer, a stream to be negotiated and
 * answered. Eighty requests at once and twenty a second thus pass; a sync has one to five.
 */
export const WORK_PER_MESSAGE = 1
export const WORK_PER_KIB = 1
export const WORK_PER_PING = 20
export const WORK_PER_STREAM = 50
/** A WebSocket message carries at most some noise frames of 64 KiB; `ws` would take 100 MiB. */
export const WEBSOCKET_MESSAGE_MAX_BYTES = 1_048_576
/** Prefixes remembered for the token bucket: about 200 bytes each. */
export const PREFIXES_MAX = 65_536
