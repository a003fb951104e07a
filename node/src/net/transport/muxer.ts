/**
 * Adds bounds to @libp2p/yamux 8.0.3. PROTOCOL.md §6.5.
 * Stock yamux buffers a frame of up to 4 GiB before it checks any window. A peer can keep one of our cores busy with
 * pings, empty frames and streams that it resets at once. Stock yamux sets no bound on the bytes that wait to be sent.
 */

import type { Random } from '@geotrace/core-wasm'
import { concatBytes } from '@geotrace/core-wasm/wire'
import type { StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { type Backoff, backoff } from '../guard/backoff.ts'
import { unreadGauge } from '../guard/unread.ts'
import { workMeter } from '../guard/work-meter.ts'
import {
  CONNECTION_WRITE_BUFFER_BYTES,
  FRAME_FRAGMENTS_MAX,
  type HostLimits,
  INBOUND_BYTES_MAX,
  STREAM_RECEIVED_MAX_BYTES,
  STREAM_WINDOW_BYTES,
  STREAM_WRITE_BUFFER_BYTES,
  STREAMS_PER_CONNECTION,
  TINY_FRAME_BYTES,
  TINY_FRAMES_MAX,
  WORK_PER_KIB,
  WORK_PER_MESSAGE,
  WORK_PER_PING,
  WORK_PER_STREAM,
} from '../limits.ts'
import { busyAnswer, type InboundStreams } from './inbound-streams.ts'
import {
  ACK,
  type Chunk,
  DATA,
  FIN,
  type Frame,
  GO_AWAY,
  HEADER_BYTES,
  header,
  type MuxedStream,
  type Muxer,
  PING,
  SYN,
  WINDOW_UPDATE,
} from './yamux-members.ts'
import { sharePackets, updateWindowSeldom } from './yamux-packets.ts'

interface MuxerInit {
  limits: HostLimits
  /** Monotonic, ms. */
  now(): number
  random: Random
  inbound: Pick<InboundStreams, 'accept' | 'isRequest' | 'isFull' | 'refuse' | 'room'>
  /** The connection of these streams received bytes. */
  onReceived(streams: readonly unknown[]): void
  /** The connection of these streams is about to be closed for abuse. */
  onAbuse(streams: readonly unknown[]): void
}

const YAMUX = {
  maxInboundStreams: STREAMS_PER_CONNECTION,
  // Without keep-alive the transport closes a silent connection after two minutes.
  enableKeepAlive: false,
  streamOptions: {
    initialStreamWindowSize: STREAM_WINDOW_BYTES,
    maxStreamWindowSize: STREAM_WINDOW_BYTES,
    maxReadBufferLength: STREAM_WINDOW_BYTES,
    maxWriteBufferLength: STREAM_WRITE_BUFFER_BYTES,
  },
}

export function guardedYamux(init: MuxerInit): () => StreamMuxerFactory {
  const requestBytes = boundRequestBytes()
  const backoffs = backoff(() => init.inbound.room())
  return () => {
    const factory = yamux(YAMUX)()
    return {
      protocol: factory.protocol,
      createStreamMuxer(maConn) {
        const muxer = factory.createStreamMuxer(maConn) as unknown as Muxer
        maConn.maxWriteBufferLength = CONNECTION_WRITE_BUFFER_BYTES
        refuseEarly(muxer, init, backoffs)
        meter(muxer, init)
        closeUnread(muxer, init)
        sharePackets(muxer)
        dispatchStreams(muxer, init, backoffs)
        const newStream = muxer._newStream.bind(muxer)
        muxer._newStream = (id, state, direction) => {
          const stream = newStream(id, state, direction)
          updateWindowSeldom(stream)
          if (direction === 'inbound') boundRequest(stream, muxer, init, requestBytes)
          return stream
        }
        return muxer
      },
    }
  }
}

/** Closes a connection that causes too much work, or that sends a frame too large or in too many fragments. */
function meter(muxer: Muxer, { limits, now, onReceived, onAbuse }: MuxerInit): void {
  const work = workMeter(limits.workPerSecond, limits.workBurst)
  const spend = (units: number): void => {
    if (work.spend(units, now())) return
    onAbuse(muxer.streams)
    throw new Error(`the connection exceeded ${limits.workPerSecond} units of work a second`)
  }
  // Count messages here too: empty ones never reach yamux but cost as much as others.
  const inside = muxer.maConn as unknown as { onData(data: Chunk): void }
  const onMessage = inside.onData.bind(inside)
  inside.onData = (data) => {
    spend(WORK_PER_MESSAGE + (data.byteLength / 1024) * WORK_PER_KIB)
    onReceived(muxer.streams)
    onMessage(data)
  }
  const onData = muxer.onData.bind(muxer)
  let fragments = 0
  muxer.onData = (data) => {
    fragments++
    onData(data)
    // Count fragments, because a buffered chunk of one byte takes a hundred times its size.
    if (muxer.decoder.buffer.byteLength <= HEADER_BYTES) fragments = 0
    if (fragments > FRAME_FRAGMENTS_MAX || muxer.decoder.buffer.byteLength > HEADER_BYTES + STREAM_WINDOW_BYTES) {
      onAbuse(muxer.streams)
      throw new Error(`a yamux frame exceeded ${STREAM_WINDOW_BYTES} bytes or ${FRAME_FRAGMENTS_MAX} fragments`)
    }
  }
  const handleFrame = muxer.handleFrame.bind(muxer)
  muxer.handleFrame = (frame) => {
    fragments = 0
    const { type, flag } = frame.header
    spend(type === PING ? WORK_PER_PING : flag & SYN ? WORK_PER_STREAM : WORK_PER_MESSAGE)
    handleFrame(frame)
    // After GO_AWAY no further stream can come, but yamux keeps the connection.
    if (type === GO_AWAY) muxer.maConn.close().catch(() => {})
  }
}

/** Closes the connection of a peer that keeps sending requests and reads no answers. */
function closeUnread(muxer: Muxer, { random, onAbuse }: MuxerInit): void {
  const gauge = unreadGauge(() => new DataView(random(4).buffer).getUint32(0))
  const handleFrame = muxer.handleFrame.bind(muxer)
  muxer.handleFrame = (frame) => {
    const { type, flag, length } = frame.header
    if (type === PING && flag === ACK && gauge.answered(length)) return
    if (type <= WINDOW_UPDATE && flag & SYN) {
      const opened = gauge.opened()
      if (opened === false) {
        onAbuse(muxer.streams)
        throw new Error('expected a peer that reads its answers, got further requests only')
      }
      if (opened.ping !== undefined) muxer.send(header(PING, SYN, 0, opened.ping))
    }
    handleFrame(frame)
  }
}

/**
 * During an overload, answers a request with BUSY from its first two frames, without a stream. To create, answer and close
 * a stream costs a fifth of a whole answer (measured 2026-11), which accepted requests would lack.
 */
function refuseEarly(muxer: Muxer, { inbound, now }: MuxerInit, backoffs: Backoff): void {
  const opened = new Map<number, Frame>()
  const handleFrame = muxer.handleFrame.bind(muxer)
  muxer.handleFrame = (frame) => {
    const { type, flag, streamID } = frame.header
    const opens = type === WINDOW_UPDATE && flag === SYN
    if (opens && opened.size < STREAMS_PER_CONNECTION && inbound.isFull(muxer.streams)) {
      opened.set(streamID, frame)
      return
    }
    const first = opened.get(streamID)
    if (first === undefined) return handleFrame(frame)
    opened.delete(streamID)
    const head = type === DATA ? frame.data?.subarray() : undefined
    const protocol = head && inbound.refuse(head, muxer.streams)
    if (protocol === undefined) {
      handleFrame(first)
      handleFrame(frame)
      return
    }
    const answer = busyAnswer(protocol, backoffs.pause(muxer.maConn, now()))
    // yamux ignores further frames of this stream, because it never saw the stream open.
    muxer.send(concatBytes(header(DATA, ACK, streamID, answer.length), answer, header(WINDOW_UPDATE, FIN, streamID, 0)))
  }
}

/** Gives streams that the peer opens to `inbound`, which may pass them to libp2p. */
function dispatchStreams(muxer: Muxer, { inbound, now }: MuxerInit, backoffs: Backoff): void {
  muxer.onRemoteStream = (stream) => {
    muxer.streams.push(stream)
    muxer.cleanUpStream(stream)
    inbound.accept(stream, muxer.streams, {
      pass: () => muxer.dispatchEvent(new CustomEvent('stream', { detail: stream })),
      backOff: () => backoffs.pause(muxer.maConn, now()),
    })
  }
}

/** Bounds the bytes and tiny frames of a request, and the bytes of all unfinished requests of this host together. */
function boundRequest(
  stream: MuxedStream,
  muxer: Muxer,
  { inbound, onAbuse }: MuxerInit,
  requestBytes: RequestBytes,
): void {
  let received = 0
  let tinyFrames = 0
  const handleData = stream.handleData.bind(stream)
  stream.handleData = (frame) => {
    if (stream.protocol === '' || inbound.isRequest(stream.protocol)) {
      received += frame.header.length
      requestBytes.add(muxer, frame.header.length)
      if (received > STREAM_RECEIVED_MAX_BYTES) {
        stream.abort(new Error(`expected a request of at most ${STREAM_RECEIVED_MAX_BYTES} bytes, got ${received}`))
        return
      }
      // A tiny frame costs as much as a full one.
      if (frame.header.length < TINY_FRAME_BYTES && ++tinyFrames > TINY_FRAMES_MAX) {
        onAbuse(muxer.streams)
        throw new Error(`expected at most ${TINY_FRAMES_MAX} frames below ${TINY_FRAME_BYTES} bytes, got one more`)
      }
    }
    handleData(frame)
  }
  stream.addEventListener('close', () => requestBytes.add(muxer, -received), { once: true })
}

interface RequestBytes {
  add(muxer: Muxer, bytes: number): void
}

/** When unfinished requests together use too much memory, closes the connection that uses most of it. */
function boundRequestBytes(): RequestBytes {
  const byMuxer = new Map<Muxer, number>()
  let total = 0
  return {
    add(muxer, bytes) {
      total += bytes
      const own = (byMuxer.get(muxer) ?? 0) + bytes
      if (own === 0) byMuxer.delete(muxer)
      else byMuxer.set(muxer, own)
      if (total <= INBOUND_BYTES_MAX) return
      const [largest] = [...byMuxer].reduce((a, b) => (b[1] > a[1] ? b : a))
      const error = new Error(`unfinished requests exceeded ${INBOUND_BYTES_MAX} bytes; this connection used most`)
      largest.abort(error)
      largest.maConn.abort(error)
    },
  }
}
