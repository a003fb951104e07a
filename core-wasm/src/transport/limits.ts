/**
 * Bounds that each side of a connection keeps, whichever side opened it. PROTOCOL.md §6.5. A connection to a hostile peer
 * takes some 4 MiB at most. That is one frame, the unread bytes of its streams, and the bytes that wait to be sent.
 */

/** Open streams of one protocol on one connection. A request is one stream. */
export const STREAMS_PER_PROTOCOL = 4
/** Open streams that one side opened on a connection: two protocols at full use. */
export const STREAMS_PER_CONNECTION = 8
/** The smallest window of yamux. The largest frame of the protocol, a roster of 256 KiB, fits in it. */
export const STREAM_WINDOW_BYTES = 262_144
/** Bytes that wait to be sent on one stream. */
export const STREAM_WRITE_BUFFER_BYTES = 1_048_576
/**
 * Bytes that wait to be sent on one connection: nearly four rosters of the largest size. A peer that reads nothing
 * reaches this bound, and its connection is closed.
 */
export const CONNECTION_WRITE_BUFFER_BYTES = 1_048_576
/** Bytes that the other side may send on one stream: the largest frame and the protocol names before it. */
export const STREAM_RECEIVED_MAX_BYTES = STREAM_WINDOW_BYTES + 16_384
/** A data frame with fewer bytes is tiny. */
export const TINY_FRAME_BYTES = 8
/** Tiny frames on one stream. A conforming peer sends a request or a reply in one to three frames of any size. */
export const TINY_FRAMES_MAX = 4
/** Fragments (Noise messages) that one yamux frame may arrive in. The largest frame needs five. */
export const FRAME_FRAGMENTS_MAX = 256
/** Bytes of a handshake. Negotiation, Noise and muxer need less than 1 KiB; stock libp2p buffers 4 MiB. */
export const HANDSHAKE_MAX_BYTES = 16_384
/** A WebSocket message carries a few Noise frames of 64 KiB at most. `ws` alone accepts 100 MiB. */
export const WEBSOCKET_MESSAGE_MAX_BYTES = 1_048_576
/** Work that one connection may cause: a second, and at once. A unit is about 10 µs, so one connection takes 1 % of a core. */
export const WORK_PER_SECOND = 1_000
export const WORK_BURST = 4_000
/**
 * Units of work for a message or frame, for a KiB, for a ping that needs an answer, and for a stream with its request.
 * A connection thus gets 80 requests at once and 20 a second. A sync needs one to five (measured 2026-11).
 */
export const WORK_PER_MESSAGE = 1
export const WORK_PER_KIB = 1
export const WORK_PER_PING = 20
export const WORK_PER_STREAM = 50
/** Work that a stream of our own adds to what the other side may cause: its largest reply, in frames of 1 KiB or more. */
export const WORK_PER_REPLY = 2 * (STREAM_RECEIVED_MAX_BYTES / 1_024) * WORK_PER_KIB
