/**
 * Ed25519 by the host's library in the place of @noble/curves, for simulations: a history checks some 5,000 signatures,
 * and what was checked once is not checked again. `native-ed25519.test.ts` compares the two.
 * It imports nothing of ours: Vitest loads it in the middle of loading core-wasm/src/wire/signature.ts.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** DER of a PKCS #8 private key up to its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
/** One history checks fewer; then all of it is forgotten. */
const REMEMBERED_MAX = 20_000

const checked = new Map<string, boolean>()
const privateKeys = new Map<string, KeyObject>()
const publicKeys = new Map<string, KeyObject>()

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

function toPrivateKey(secret: Uint8Array): KeyObject {
  const name = text(secret)
  const known = privateKeys.get(name)
  if (known !== undefined) return known
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' })
  if (privateKeys.size >= REMEMBERED_MAX) privateKeys.clear()
  privateKeys.set(name, key)
  return key
}

function toPublicKey(key: Uint8Array): KeyObject {
  const name = text(key)
  const known = publicKeys.get(name)
  if (known !== undefined) return known
  const x = Buffer.from(key).toString('base64url')
  const made = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  if (publicKeys.size >= REMEMBERED_MAX) publicKeys.clear()
  publicKeys.set(name, made)
  return made
}

export const ed25519 = {
  getPublicKey: (secret: Uint8Array): Uint8Array => {
    const { x = '' } = createPublicKey(toPrivateKey(secret)).export({ format: 'jwk' })
    return new Uint8Array(Buffer.from(x, 'base64url'))
  },
  sign: (message: Uint8Array, secret: Uint8Array): Uint8Array =>
    new Uint8Array(sign(null, message, toPrivateKey(secret))),
  verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array, _options?: { zip215?: boolean }): boolean {
    const name = text(key) + text(signature) + text(message)
    const known = checked.get(name)
    if (known !== undefined) return known
    const isValid = verify(null, message, toPublicKey(key), signature)
    if (checked.size >= REMEMBERED_MAX) checked.clear()
    checked.set(name, isValid)
    return isValid
  },
}
