/**
 * Values with a checksum: body ‖ CRC-32 over key ‖ body. PROTOCOL.md §8. Throws STORAGE_CORRUPT.
 * LevelDB returned flipped bytes without an error (measured). The checksum includes the key, so that a value under
 * another key is damage too. A CRC finds faults of the disk; it gives no protection against a deliberate change.
 */
import { crc32 } from 'node:zlib'
import { FederationError } from '@geotrace/core-wasm/wire'

export const CHECKSUM_BYTES = 4

export function addChecksum(key: Uint8Array, body: Uint8Array): Uint8Array {
  const value = new Uint8Array(body.length + CHECKSUM_BYTES)
  value.set(body)
  new DataView(value.buffer).setUint32(body.length, crc32(body, crc32(key)))
  return value
}

/** The body. Throws STORAGE_CORRUPT when the checksum does not fit this key and body. */
export function verifyChecksum(key: Uint8Array, value: Uint8Array, what: string): Uint8Array {
  const body = value.subarray(0, Math.max(0, value.length - CHECKSUM_BYTES))
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (value.length < CHECKSUM_BYTES || view.getUint32(body.length) !== crc32(body, crc32(key))) corrupt(what)
  return body
}

export function corrupt(what: string, cause?: unknown): never {
  const text = `the store is damaged (${what}); restore the last backup`
  throw new FederationError('STORAGE_CORRUPT', text, { what }, { cause })
}
