/**
 * Adds bounds to @libp2p/yamux 8.0.3, for either side of a connection. PROTOCOL.md §6.5.
 * Stock yamux buffers a frame of up to 4 GiB before it checks any window. A peer can keep one of our cores busy with
 * pings, empty frames and streams that it resets at once. Stock yamux sets no bound on the bytes that wait to be sent.
 */
import type { StreamMuxerFactory } from '@libp2p/interface'
import {
  CONNECTION_WRITE_BUFFER_BYTES,
  FRAME_FRAGMENTS_MAX,
  STREAM_RECEIVED_MAX_BYTES,
  STREAM_WINDOW_BYTES,
  STREAM_WRITE_BUFFER_BYTES,
  TINY_FRAME_BYTES,
  TINY_FRAMES_MAX,
  WORK_PER_KIB,
  WORK_PER_MESSAGE,
  WORK_PER_PING,
  WORK_PER_STREAM,
} from './limits.ts'
import { type WorkMeter, workMeter } from './work-meter.ts'
import { type Chunk, DATA, GO_AWAY, HEADER_BYTES, type MuxedStream, type Muxer, PING, SYN } from './yamux-members.ts'

const YAMUX = {
  // Without keep-alive the transport closes a silent connection after two minutes.
  enableKeepAlive: false,
  streamOptions: {
    initialStreamWindowSize: STREAM_WINDOW_BYTES,
    maxStreamWindowSize: STREAM_WINDOW_BYTES,
    maxReadBufferLength: STREAM_WINDOW_BYTES,
    maxWriteBufferLength: STREAM_WRITE_BUFFER_BYTES,
  },
}

export interface YamuxGuard {
  /** `yamux` of @libp2p/yamux. The caller passes it, so that this package loads no part of libp2p. */
  yamux: (options: typeof YAMUX & { maxInboundStreams: number }) => () => StreamMuxerFactory
  /** Work that the other side may cause on one connection. */
  limits: { readonly workPerSecond: number; readonly workBurst: number }
  /** Streams that the other side may have open at the same time; a further one is reset. */
  inboundStreams: number
  /** Monotonic, ms. */
  now(): number
  /** Whether streams of this protocol last and carry any number of messages. Then only their work has a bound. */
  isLasting?(protocol: string): boolean
  /** The connection of these streams received bytes. */
  onReceived?(streams: readonly unknown[]): void
  /** The connection of these streams is about to be closed for abuse. */
  onAbuse?(streams: readonly unknown[]): void
  /** Adds patches of one side to a new muxer, below the bounds. */
  extend?(muxer: Muxer): void
}

export function guardedYamux(guard: YamuxGuard): () => StreamMuxerFactory {
  return () => {
    const factory = guard.yamux({ ...YAMUX, maxInboundStreams: guard.inboundStreams })()
    return {
      protocol: factory.protocol,
      createStreamMuxer(maConn) {
        const muxer = factory.createStreamMuxer(maConn) as unknown as Muxer
        maConn.maxWriteBufferLength = CONNECTION_WRITE_BUFFER_BYTES
        guard.extend?.(muxer)
        const work = workMeter(guard.limits.workPerSecond, guard.limits.workBurst)
        meter(muxer, guard, work)
        boundStreams(muxer, guard, work)
        return muxer
      },
    }
  }
}

/** Closes a connection that causes too much work, or that sends a frame too large or in too many fragments. */
function meter(muxer: Muxer, { limits, now, onReceived, onAbuse }: YamuxGuard, work: WorkMeter): void {
  const spend = (units: number): void => {
    if (work.spend(units, now())) return
    onAbuse?.(muxer.streams)
    throw new Error(`the connection exceeded ${limits.workPerSecond} units of work a second`)
  }
  // Count messages here too: empty ones never reach yamux but cost as much as others.
  const inside = muxer.maConn as unknown as { onData(data: Chunk): void }
  const onMessage = inside.onData.bind(inside)
  inside.onData = (data) => {
    spend(WORK_PER_MESSAGE + (data.byteLength / 1024) * WORK_PER_KIB)
    onReceived?.(muxer.streams)
    onMessage(data)
  }
  const onData = muxer.onData.bind(muxer)
  let fragments = 0
  const refuseFrame = (): never => {
    onAbuse?.(muxer.streams)
    throw new Error(`a yamux frame exceeded ${STREAM_WINDOW_BYTES} bytes or ${FRAME_FRAGMENTS_MAX} fragments`)
  }
  muxer.onData = (data) => {
    fragments++
    onData(data)
    // Count fragments, because a buffered chunk of one byte takes a hundred times its size.
    if (muxer.decoder.buffer.byteLength <= HEADER_BYTES) fragments = 0
    if (fragments > FRAME_FRAGMENTS_MAX || muxer.decoder.buffer.byteLength > HEADER_BYTES + STREAM_WINDOW_BYTES) {
      refuseFrame()
    }
  }
  const handleFrame = muxer.handleFrame.bind(muxer)
  muxer.handleFrame = (frame) => {
    fragments = 0
    const { type, flag, length } = frame.header
    // Its last bytes came in one message with the end of the frame, or the stream that it names does not exist.
    if (type === DATA && length > STREAM_WINDOW_BYTES) refuseFrame()
    const isQuestion = (flag & SYN) !== 0
    spend(!isQuestion ? WORK_PER_MESSAGE : type === PING ? WORK_PER_PING : WORK_PER_STREAM)
    handleFrame(frame)
    // After GO_AWAY no further stream can come, but yamux keeps the connection.
    if (type === GO_AWAY) muxer.maConn.close().catch(() => {})
  }
}

/** Bounds the bytes and tiny frames of each stream, and expects a reply on each stream that this side opens. */
function boundStreams(muxer: Muxer, guard: YamuxGuard, work: WorkMeter): void {
  const newStream = muxer._newStream.bind(muxer)
  muxer._newStream = (id, state, direction) => {
    const stream = newStream(id, state, direction)
    if (direction === 'outbound') work.expectReply()
    boundStream(stream, muxer, guard)
    return stream
  }
}

function boundStream(stream: MuxedStream, muxer: Muxer, { isLasting, onAbuse }: YamuxGuard): void {
  let received = 0
  let tinyFrames = 0
  const handleData = stream.handleData.bind(stream)
  stream.handleData = (frame) => {
    const { length } = frame.header
    if (isLasting?.(stream.protocol) !== true) {
      received += length
      if (received > STREAM_RECEIVED_MAX_BYTES) {
        stream.abort(new Error(`expected at most ${STREAM_RECEIVED_MAX_BYTES} bytes on a stream, got ${received}`))
        return
      }
      // A tiny frame costs as much as a full one.
      if (length < TINY_FRAME_BYTES && ++tinyFrames > TINY_FRAMES_MAX) {
        onAbuse?.(muxer.streams)
        throw new Error(`expected at most ${TINY_FRAMES_MAX} frames below ${TINY_FRAME_BYTES} bytes, got one more`)
      }
    }
    handleData(frame)
  }
}
