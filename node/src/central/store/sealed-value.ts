/**
 * Sealed values: nonce 12 ‖ AES-256-GCM of the body ‖ tag 16, with the key of the entry as additional data. PROTOCOL.md §8.
 * LevelDB returned flipped bytes without an error (measured). A wrong tag shows a flipped bit, a value under another key,
 * and another database's key. Throws STORAGE_CORRUPT.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'
import { FederationError } from '@geotrace/core-wasm/wire'

const CIPHER = 'aes-256-gcm'
/** Random nonces: some 2^32 values of one key may be sealed, which is more than a day or a `meta` of years has. */
const NONCE_BYTES = 12
const NONCES_DRAWN = 256
export const TAG_BYTES = 16

export interface Seal {
  seal(key: Uint8Array, body: Uint8Array): Uint8Array
  /** Throws STORAGE_CORRUPT unless `seal` made the value for this key. */
  open(key: Uint8Array, value: Uint8Array, what: string): Uint8Array
}

export function valueSeal(secret: Uint8Array, random: Random): Seal {
  const nonces = nonceSource(random)
  return {
    seal: (key, body) => sealValue(secret, nonces(), key, body),
    open: (key, value, what) => openValue(secret, key, value, what),
  }
}

/** Seals a value. With `prefix` the value begins with these bytes, which are not sealed. */
export function sealValue(
  secret: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  body: Uint8Array,
  prefix?: Uint8Array,
): Uint8Array {
  const start = prefix?.length ?? 0
  const value = new Uint8Array(start + NONCE_BYTES + body.length + TAG_BYTES)
  const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(key)
  if (prefix !== undefined) value.set(prefix)
  value.set(nonce, start)
  value.set(cipher.update(body), start + NONCE_BYTES)
  cipher.final()
  value.set(cipher.getAuthTag(), start + NONCE_BYTES + body.length)
  return value
}

/** Throws STORAGE_CORRUPT unless `sealValue` made the value with this secret for this key. */
export function openValue(secret: Uint8Array, key: Uint8Array, value: Uint8Array, what: string): Uint8Array {
  if (value.length < NONCE_BYTES + TAG_BYTES) return corrupt(what)
  const end = value.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, secret, value.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(key).setAuthTag(value.subarray(end))
  const body = decipher.update(value.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
  } catch (error) {
    corrupt(what, error)
  }
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}

/** Draws many nonces at once, because a call of the system's randomness costs more than the sealing (2026-11). */
export function nonceSource(random: Random): () => Uint8Array {
  let drawn: Uint8Array = new Uint8Array(0)
  let at = 0
  return () => {
    if (at === drawn.length) {
      drawn = random(NONCES_DRAWN * NONCE_BYTES)
      at = 0
    }
    at += NONCE_BYTES
    return drawn.subarray(at - NONCE_BYTES, at)
  }
}

export function corrupt(what: string, cause?: unknown): never {
  const text = `the store is damaged (${what}); restore the last backup`
  throw new FederationError('STORAGE_CORRUPT', text, { what }, { cause })
}
