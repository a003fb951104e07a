/**
 * Values that notice damage: body ‖ CRC-32 over key ‖ body. PROTOCOL.md §8.
 * LevelDB returned flipped bytes without an error (measured), and the key is included so that a value under another
 * key is damage too. A CRC finds faults of the disk; it is no protection against somebody who writes there.
 */
import { crc32 } from 'node:zlib'
import { FederationError } from '@geotrace/core-wasm/wire'

const CRC_BYTES = 4

export function sealValue(key: Uint8Array, body: Uint8Array): Uint8Array {
  const value = new Uint8Array(body.length + CRC_BYTES)
  value.set(body)
  new DataView(value.buffer).setUint32(body.length, crc32(body, crc32(key)))
  return value
}

/** The body; STORAGE_CORRUPT when it is not what was sealed under this key. */
export function unsealValue(key: Uint8Array, value: Uint8Array, what: string): Uint8Array {
  const body = value.subarray(0, Math.max(0, value.length - CRC_BYTES))
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (value.length < CRC_BYTES || view.getUint32(body.length) !== crc32(body, crc32(key))) corrupt(what)
  return body
}

export function corrupt(what: string, cause?: unknown): never {
  throw new FederationError(
    'STORAGE_CORRUPT',
    `the store is damaged (${what}); restore the last backup`,
    { what },
    { cause },
  )
}
