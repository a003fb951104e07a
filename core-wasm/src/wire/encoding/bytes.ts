/**
 * Bounded cursors over bytes: big-endian integers of fixed width and byte strings. PROTOCOL.md §6.
 * A reader refuses to read past the end and refuses trailing bytes (MESSAGE_MALFORMED). A writer refuses to grow past
 * its bound (RangeError).
 */
import { FederationError } from '../errors.ts'

export interface ByteReader {
  readonly offset: number
  readonly left: number
  u8(): number
  u16(): number
  u32(): number
  /** A time in Unix ms: a u64 that must be a safe integer. */
  time(): number
  bytes(length: number): Uint8Array
  /** Throws MESSAGE_MALFORMED unless every byte was read. */
  end(): void
  /** Throws MESSAGE_MALFORMED unless all remaining bytes are zero. */
  padding(): void
  refuse(reason: string): never
}

export function byteReader(source: Uint8Array): ByteReader {
  return new Reader(source)
}

/**
 * The reader is a class, because each message makes one or two cursors and new closures took half of the time.
 * The reader uses no DataView, because a DataView allocates a buffer for every small message.
 */
class Reader implements ByteReader {
  offset = 0
  readonly #source: Uint8Array

  constructor(source: Uint8Array) {
    this.#source = source
  }
  get left(): number {
    return this.#source.byteLength - this.offset
  }
  #take(length: number): number {
    const start = this.offset
    if (start + length > this.#source.byteLength) this.refuse(`expected ${length} more bytes, got ${this.left}`)
    this.offset = start + length
    return start
  }
  u8(): number {
    return this.#source[this.#take(1)]!
  }
  u16(): number {
    const at = this.#take(2)
    return (this.#source[at]! << 8) | this.#source[at + 1]!
  }
  u32(): number {
    const at = this.#take(4)
    return toU32(this.#source, at)
  }
  time(): number {
    const at = this.#take(8)
    const value = toU32(this.#source, at) * 2 ** 32 + toU32(this.#source, at + 4)
    return Number.isSafeInteger(value) ? value : this.refuse('expected a time below 2^53')
  }
  // Return a copy, so that a received value does not change when the buffer is used again.
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#source.slice(start, start + length)
  }
  end(): void {
    if (this.offset !== this.#source.byteLength) this.refuse(`expected the end, got ${this.left} trailing bytes`)
  }
  padding(): void {
    while (this.offset < this.#source.byteLength) {
      if (this.#source[this.offset] !== 0) this.refuse('expected zero padding')
      this.offset++
    }
  }
  refuse(reason: string): never {
    const at = this.offset
    throw new FederationError('MESSAGE_MALFORMED', `malformed message: ${reason} at byte ${at}`, { at })
  }
}

function toU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
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

/** Up to this bound a writer allocates all its bytes at once: its bound is usually the exact size of the message. */
const WRITER_WHOLE_BYTES = 1_024
/** First allocation of larger writers. V8 keeps arrays up to this size on its own heap. */
const WRITER_START_BYTES = 64

/** A writer of at most `max` bytes. It throws RangeError when a value does not fit, because we are the sender. */
export function byteWriter(max: number): ByteWriter {
  return new Writer(max)
}

class Writer implements ByteWriter {
  length = 0
  readonly #max: number
  #out: Uint8Array

  constructor(max: number) {
    this.#max = max
    this.#out = new Uint8Array(max <= WRITER_WHOLE_BYTES ? max : WRITER_START_BYTES)
  }
  #take(length: number): number {
    const start = this.length
    const need = start + length
    if (need > this.#max) throw new RangeError(`message expected at most ${this.#max} bytes, got more`)
    if (need > this.#out.length) this.#grow(need)
    this.length = need
    return start
  }
  #grow(need: number): void {
    const larger = new Uint8Array(Math.min(this.#max, Math.max(need, 4 * this.#out.length)))
    larger.set(this.#out)
    // The bytes may be secret, so no copy stays in memory.
    this.#out.fill(0)
    this.#out = larger
  }
  /** Big-endian; each byte takes its low eight bits. */
  #put(value: number, length: number, limit: number): this {
    if (!Number.isInteger(value) || value < 0 || value > limit) {
      throw new RangeError(`integer expected 0..${limit}, got ${value}`)
    }
    const start = this.#take(length)
    for (let i = length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) this.#out[start + i] = rest
    return this
  }
  u8(value: number): this {
    return this.#put(value, 1, 0xff)
  }
  u16(value: number): this {
    return this.#put(value, 2, 0xffff)
  }
  u32(value: number): this {
    return this.#put(value, 4, 0xffffffff)
  }
  time(value: number): this {
    return this.#put(value, 8, Number.MAX_SAFE_INTEGER)
  }
  bytes(value: Uint8Array, length = value.length): this {
    if (value.length !== length) throw new RangeError(`bytes expected length ${length}, got ${value.length}`)
    const start = this.#take(length)
    this.#out.set(value, start)
    return this
  }
  finish(): Uint8Array {
    const out = this.#out
    if (this.length < out.length) return out.slice(0, this.length)
    // The buffer is full, so no later write can change the returned bytes.
    return out
  }
}

/** Character codes of the digits. */
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Bytes of one `fromCharCode` call: every engine takes that many arguments. */
const HEX_PER_CALL_BYTES = 4_096

/** Lower-case hex, made in one call: a string joined digit by digit costs three times as much in the first map look-up. */
export function bytesToHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_PER_CALL_BYTES) {
    return bytesToHex(bytes.subarray(0, HEX_PER_CALL_BYTES)) + bytesToHex(bytes.subarray(HEX_PER_CALL_BYTES))
  }
  const codes = new Array<number>(2 * bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = HEX_DIGITS[bytes[i]! >> 4]!
    codes[2 * i + 1] = HEX_DIGITS[bytes[i]! & 15]!
  }
  return String.fromCharCode.apply(null, codes)
}

/** Throws TypeError unless `hex` is an even number of lower-case hex digits. */
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
