/**
 * Two patches that make @libp2p/yamux 8.0.3 send fewer packets. The bytes on the wire stay valid yamux. Together with
 * noise.ts and `forgetProtocols` they reduced the server's CPU for a request from 6.8 to 2.5 times that of node:https.
 */
import { type Chunk, ESTABLISHED, type MuxedStream, type Muxer } from '@geotrace/core-wasm/transport'
import { concatBytes } from '@geotrace/core-wasm/wire'

/** Frames of one turn of the event loop share a packet up to this size. */
const SHARED_PACKET_BYTES = 16_384

/**
 * Replaces `send` of yamux, which encrypts and sends each frame alone. Frames of one turn of the event loop leave together:
 * one encryption and one packet. Gain: 9.5 instead of 17 writes to sockets a request, 14 % of its CPU (two busy cores,
 * 2026-11).
 */
export function sharePackets(muxer: Muxer): void {
  const send = muxer.send.bind(muxer)
  const [close, abort] = [muxer.close.bind(muxer), muxer.abort.bind(muxer)]
  let waiting: Chunk[] = []
  let bytes = 0
  /** Never throws, because nothing catches its errors. The socket may be closing before the connection notices. */
  const flush = (): boolean => {
    if (waiting.length === 0) return true
    const data = concatBytes(...waiting.map((chunk) => chunk.subarray()))
    waiting = []
    bytes = 0
    if (muxer.maConn.status !== 'open') return false
    try {
      return send(data)
    } catch (error) {
      muxer.maConn.abort(error instanceof Error ? error : new Error('cannot send on the connection'))
      return false
    }
  }
  muxer.send = (data) => {
    if (waiting.length === 0) process.nextTick(flush)
    waiting.push(data)
    bytes += data.byteLength
    return bytes < SHARED_PACKET_BYTES ? true : flush()
  }
  muxer.close = async (options) => {
    await close(options)
    flush()
  }
  muxer.abort = (error) => {
    abort(error)
    flush()
  }
}

/**
 * Replaces the window update of yamux after each chunk. As in go-yamux, the update goes out when half of the window is
 * used. Gain: 9.5 instead of 15 writes to sockets a request, 19 % of its CPU (two busy cores, 2026-11).
 */
export function updateWindowSeldom(stream: MuxedStream): void {
  const sendWindowUpdate = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isRoomy = stream.recvWindowCapacity > stream.recvWindow / 2
    // Before the stream is established, the update carries the flags that open it.
    if (!(isRoomy && stream.state === ESTABLISHED)) sendWindowUpdate()
  }
}
