/**
 * The parts of @libp2p/yamux 8.0.3 that its types do not name, and the fields of its frames.
 * The guard of yamux patches these members; private-members.test.ts of the node checks for them.
 */
import type { MessageStream, StreamMuxer } from '@libp2p/interface'
import { byteWriter } from '../wire/encoding/bytes.ts'

/** Bytes in one array or in several. */
export type Chunk = Parameters<MessageStream['send']>[0]

export interface Muxer extends StreamMuxer<MuxedStream> {
  readonly maConn: MessageStream
  readonly decoder: { readonly buffer: { readonly byteLength: number } }
  onData(data: Chunk): void
  handleFrame(frame: Frame): void
  send(data: Chunk): boolean
  onRemoteStream(stream: MuxedStream): void
  cleanUpStream(stream: MuxedStream): void
  _newStream(id: number, state: number, direction: 'inbound' | 'outbound'): MuxedStream
}

export type MuxedStream = StreamMuxer['streams'][number] & {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  handleData(frame: Frame): void
  sendWindowUpdate(): void
}

export interface Frame {
  readonly header: { readonly type: number; readonly flag: number; readonly streamID: number; readonly length: number }
  /** Content of a DATA frame. */
  readonly data?: { subarray(): Uint8Array }
}

/** Types of frames. */
export const [DATA, WINDOW_UPDATE, PING, GO_AWAY] = [0, 1, 2, 3]
/** Flags of frames. */
export const [SYN, ACK, FIN] = [1, 2, 4]
/** State of a stream that both sides have opened. */
export const ESTABLISHED = 3
export const HEADER_BYTES = 12

export function header(type: number, flags: number, streamId: number, length: number): Uint8Array {
  return byteWriter(HEADER_BYTES).u8(0).u8(type).u16(flags).u32(streamId).u32(length).finish()
}
