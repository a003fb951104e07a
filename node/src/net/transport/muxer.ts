/**
 * The muxer of a listening peer, over the guarded yamux of the core. PROTOCOL.md §6.5. It refuses requests early during
 * an overload, and closes connections that read no answers. It bounds the bytes of all unfinished requests together.
 */

import type { Random } from '@geotrace/core-wasm'
import {
  ACK,
  DATA,
  FIN,
  type Frame,
  guardedYamux,
  header,
  type MuxedStream,
  type Muxer,
  PING,
  STREAMS_PER_CONNECTION,
  SYN,
  WINDOW_UPDATE,
  type YamuxGuard,
} from '@geotrace/core-wasm/transport'
import { concatBytes } from '@geotrace/core-wasm/wire'
import type { StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { type Backoff, backoff } from '../guard/backoff.ts'
import { unreadGauge } from '../guard/unread.ts'
import { INBOUND_BYTES_MAX } from '../limits.ts'
import { busyAnswer, type InboundStreams } from './inbound-streams.ts'
import { sharePackets, updateWindowSeldom } from './yamux-packets.ts'

interface MuxerInit extends Pick<YamuxGuard, 'limits' | 'now'> {
  random: Random
  inbound: Pick<InboundStreams, 'accept' | 'isLasting' | 'isFull' | 'refuse' | 'room'>
  /** The connection of these streams received bytes. */
  onReceived(streams: readonly unknown[]): void
  /** The connection of these streams is about to be closed for abuse. */
  onAbuse(streams: readonly unknown[]): void
}

export function listeningYamux(init: MuxerInit): () => StreamMuxerFactory {
  const requestBytes = boundRequestBytes()
  const backoffs = backoff(() => init.inbound.room())
  return guardedYamux({
    ...init,
    yamux,
    inboundStreams: STREAMS_PER_CONNECTION,
    isLasting: (protocol) => init.inbound.isLasting(protocol),
    extend(muxer) {
      refuseEarly(muxer, init, backoffs)
      closeUnread(muxer, init)
      sharePackets(muxer)
      dispatchStreams(muxer, init, backoffs)
      const newStream = muxer._newStream.bind(muxer)
      muxer._newStream = (id, state, direction) => {
        const stream = newStream(id, state, direction)
        updateWindowSeldom(stream)
        if (direction === 'inbound') countRequest(stream, muxer, init, requestBytes)
        return stream
      }
    },
  })
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

/** Counts the bytes of a request among those of all unfinished requests. */
function countRequest(stream: MuxedStream, muxer: Muxer, { inbound }: MuxerInit, requestBytes: RequestBytes): void {
  let received = 0
  const handleData = stream.handleData.bind(stream)
  stream.handleData = (frame) => {
    if (!inbound.isLasting(stream.protocol)) {
      received += frame.header.length
      requestBytes.add(muxer, frame.header.length)
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
