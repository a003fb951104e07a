/**
 * Frames on a stream: a length as a minimal unsigned varint of at most three bytes, then the content. PROTOCOL.md §6.1.
 * The reader compares the length with the bound of the protocol before it buffers anything.
 * Throws MESSAGE_MALFORMED, MESSAGE_TOO_LARGE.
 */
import { concatBytes, FederationError } from '@geotrace/core-wasm/wire'
import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'

const LENGTH_MAX_BYTES = 3

type Readable = ReturnType<typeof byteStream<Stream>> & { readonly readBuffer: { readonly byteLength: number } }

interface Frames {
  /** Throws MESSAGE_MALFORMED when the frame ends early, MESSAGE_TOO_LARGE, or the reason of the signal. */
  read(maxBytes: number, signal: AbortSignal): Promise<Uint8Array>
  write(frame: Uint8Array, signal: AbortSignal): Promise<void>
  /** Received bytes after the last frame that was read. */
  readonly left: number
}

/** `maxBytes`: size of the largest frame that the caller reads from this stream. */
export function frames(stream: Stream, maxBytes: number): Frames {
  // `readBuffer` exists at run time but not in the type; private-members.test.ts checks for it.
  const bytes = byteStream(stream, { maxBufferSize: maxBytes + LENGTH_MAX_BYTES }) as Readable
  const take = async (count: number, signal: AbortSignal): Promise<Uint8Array> => {
    try {
      // Copy into a plain array, because slices of a Buffer share its memory.
      return new Uint8Array((await bytes.read({ bytes: count, signal })).subarray())
    } catch (error) {
      signal.throwIfAborted()
      throw isEnd(error) ? malformed('the stream ended inside it', { cause: error }) : error
    }
  }
  return {
    async read(max, signal) {
      let length = 0
      for (let i = 0; ; i++) {
        const byte = (await take(1, signal))[0]!
        length += (byte & 0x7f) << (7 * i)
        if (byte < 0x80) {
          if (i > 0 && byte === 0) throw malformed('its length is not minimal')
          break
        }
        if (i + 1 === LENGTH_MAX_BYTES) throw tooLarge(length, max)
      }
      if (length > max) throw tooLarge(length, max)
      return length === 0 ? new Uint8Array(0) : await take(length, signal)
    },
    write: (frame, signal) => bytes.write(concatBytes(lengthToBytes(frame.length), frame), { signal }),
    get left() {
      return bytes.readBuffer.byteLength
    },
  }
}

export function lengthToBytes(length: number): Uint8Array {
  const out: number[] = []
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80)
  return Uint8Array.from([...out, rest])
}

export function malformed(reason: string, options?: { cause: unknown }): FederationError<'MESSAGE_MALFORMED'> {
  return new FederationError('MESSAGE_MALFORMED', `malformed frame: ${reason}`, { at: 0 }, options)
}

function tooLarge(size: number, max: number): FederationError<'MESSAGE_TOO_LARGE'> {
  return new FederationError('MESSAGE_TOO_LARGE', `expected a frame of at most ${max} bytes, got ${size} or more`, {
    size,
    max,
  })
}

/** Whether the other side ended the stream regularly, without a reset. */
function isEnd(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnexpectedEOFError'
}
