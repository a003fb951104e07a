/**
 * Bounded cursors over bytes: big-endian fixed-width integers and byte strings. PROTOCOL.md §6.
 * A reader refuses to read past the end and refuses trailing bytes; a writer refuses to grow past its bound.
 */
import { FederationError } from './errors.ts'

export interface ByteReader {
  readonly offset: number
  readonly left: number
  u8(): number
  u16(): number
  u32(): number
  /** A u64 that must be a safe integer: times in Unix ms. */
  time(): number
  bytes(length: number): Uint8Array
  /** MESSAGE_MALFORMED unless everything was read. */
  end(): void
  /** MESSAGE_MALFORMED unless all that is left is zero. */
  padding(): void
  refuse(reason: string): never
}

export function byteReader(source: Uint8Array): ByteReader {
  let offset = 0
  const refuse = (reason: string): never => {
    throw new FederationError('MESSAGE_MALFORMED', `malformed message: ${reason} at byte ${offset}`, { at: offset })
  }
  const take = (length: number): number => {
    if (offset + length > source.byteLength) refuse('it ends early')
    offset += length
    return offset - length
  }
  const u8 = (): number => source[take(1)]!
  // By hand: a view would set a buffer aside for each of many small messages.
  const u16 = (): number => {
    const at = take(2)
    return (source[at]! << 8) | source[at + 1]!
  }
  const u32 = (): number => {
    const at = take(4)
    return ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0
  }
  return {
    get offset() {
      return offset
    },
    get left() {
      return source.byteLength - offset
    },
    u8,
    u16,
    u32,
    time: () => {
      // Read whole, so that a refusal names the byte after it.
      const at = take(8)
      offset = at
      const value = u32() * 2 ** 32 + u32()
      return Number.isSafeInteger(value) ? value : refuse('a time beyond 2^53')
    },
    // A copy: what was received must not change under a later reader of the same buffer.
    bytes: (length) => {
      const start = take(length)
      return source.slice(start, start + length)
    },
    end: () => {
      if (offset !== source.byteLength) refuse('trailing bytes')
    },
    padding: () => {
      while (offset < source.byteLength) {
        if (source[offset] !== 0) refuse('padding is not zero')
        offset++
      }
    },
    refuse,
  }
}

export interface ByteWriter {
  readonly length: number
  u8(value: number): ByteWriter
  u16(value: number): ByteWriter
  u32(value: number): ByteWriter
  time(value: number): ByteWriter
  bytes(value: Uint8Array, length?: number): ByteWriter
  finish(): Uint8Array
}

/** Most messages are about as small; V8 keeps arrays up to this size among its own objects. */
const WRITER_START_BYTES = 64

/** A writer of at most `max` bytes; what does not fit is a RangeError, because the sender is ours. */
export function byteWriter(max: number): ByteWriter {
  let out = new Uint8Array(Math.min(max, WRITER_START_BYTES))
  let offset = 0
  const grow = (need: number): void => {
    const larger = new Uint8Array(Math.min(max, Math.max(need, 4 * out.length)))
    larger.set(out)
    // What is written may be secret: no copy stays behind.
    out.fill(0)
    out = larger
  }
  const take = (length: number): number => {
    if (offset + length > max) throw new RangeError(`message expected at most ${max} bytes, got more`)
    if (offset + length > out.length) grow(offset + length)
    offset += length
    return offset - length
  }
  const whole = (value: number, limit: number): number => {
    if (!Number.isInteger(value) || value < 0 || value > limit) {
      throw new RangeError(`integer expected 0..${limit}, got ${value}`)
    }
    return value
  }
  /** Big-endian; each byte takes its low eight bits. */
  const put = (value: number, length: number): void => {
    const start = take(length)
    for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) out[start + i] = rest
  }
  const writer: ByteWriter = {
    get length() {
      return offset
    },
    u8: (value) => {
      put(whole(value, 0xff), 1)
      return writer
    },
    u16: (value) => {
      put(whole(value, 0xffff), 2)
      return writer
    },
    u32: (value) => {
      put(whole(value, 0xffffffff), 4)
      return writer
    },
    time: (value) => {
      put(whole(value, Number.MAX_SAFE_INTEGER), 8)
      return writer
    },
    bytes: (value, length = value.length) => {
      if (value.length !== length) throw new RangeError(`bytes expected length ${length}, got ${value.length}`)
      const start = take(length)
      out.set(value, start)
      return writer
    },
    finish: () => out.slice(0, offset),
  }
  return writer
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function bytesToHex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += HEX[byte]
  return out
}

/** TypeError unless `hex` is an even run of lower-case hex digits. */
export function hexToBytes(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new TypeError('hex expected an even number of digits 0-9a-f')
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

const encoder = new TextEncoder()
/** Domain strings and names as bytes. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}
