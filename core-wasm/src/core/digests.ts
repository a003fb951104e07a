/**
 * SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104) of messages of equal length, in batches that fit the module's area, and
 * the CRC-32 of zlib. Throws TypeError, RangeError.
 */
import { assertBytes } from './assert-bytes.ts'
import type { Instance } from './instance.ts'

// `length` 0 means one empty message, so that (message, message.length) always names one message.
const DIGEST_BYTES = 32
const KEY_BYTES = 64

export function sha256Batch(core: Instance, messages: Uint8Array, length: number): Uint8Array {
  assertMessages(core, messages, length)
  return batch(core, messages, length, (count) => core.call.sha256Messages(count, length))
}

export function hmacBatch(core: Instance, key: Uint8Array, messages: Uint8Array, length: number): Uint8Array {
  assertBytes('key', key)
  assertMessages(core, messages, length)
  if (key.length > core.messages.length) {
    throw new RangeError(`"key" expected at most ${core.messages.length} bytes, got ${key.length}`)
  }
  // RFC 2104 §2: a key longer than a block is hashed first; a shorter key is padded with zeros.
  const block = key.length > KEY_BYTES ? sha256Batch(core, key, key.length) : key
  core.key.fill(0)
  core.key.set(block)
  return batch(core, messages, length, (count) => core.call.hmacMessages(count, length))
}

/** CRC-32 of zlib. `crc` is the sum of the bytes before; 0 at the start. */
export function crc32(core: Instance, bytes: Uint8Array, crc: number): number {
  assertBytes('bytes', bytes)
  if (!Number.isInteger(crc) || crc < 0 || crc > 0xffffffff) {
    throw new RangeError(`"crc" expected 0..4294967295, got ${crc}`)
  }
  const room = core.messages.length
  let sum = crc
  for (let from = 0; from < bytes.length; from += room) {
    const chunk = bytes.subarray(from, from + room)
    core.messages.set(chunk)
    sum = core.call.crc32(sum, chunk.length) >>> 0
  }
  core.messages.fill(0, 0, Math.min(room, bytes.length))
  return sum
}

function batch(core: Instance, messages: Uint8Array, length: number, hash: (count: number) => void): Uint8Array {
  const count = length === 0 ? 1 : messages.length / length
  const digests = new Uint8Array(count * DIGEST_BYTES)
  const room = Math.min(core.batch, length === 0 ? 1 : Math.floor(core.messages.length / length))
  for (let from = 0; from < count; from += room) {
    const chunk = Math.min(room, count - from)
    core.messages.set(messages.subarray(from * length, (from + chunk) * length))
    hash(chunk)
    digests.set(core.digests.subarray(0, chunk * DIGEST_BYTES), from * DIGEST_BYTES)
  }
  core.call.wipe()
  return digests
}

function assertMessages(core: Instance, messages: Uint8Array, length: number): void {
  assertBytes('messages', messages)
  const max = core.messages.length
  if (!Number.isInteger(length) || length < 0 || length > max) {
    throw new RangeError(`"length" expected 0..${max}, got ${length}`)
  }
  if (length === 0 ? messages.length > 0 : messages.length % length !== 0) {
    throw new RangeError(`"messages" expected a multiple of ${length} bytes, got ${messages.length}`)
  }
}
