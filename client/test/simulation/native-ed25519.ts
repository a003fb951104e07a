/**
 * Ed25519 and X25519 of node:crypto for simulations. It replaces @noble/curves, node/src/platform/native-signer.ts and
 * core-wasm/src/wire/encoding/host-verify.ts. Keys and results are cached: a signature is verified once, and a signature
 * made here counts as verified. `native-ed25519.test.ts` compares this file with @noble/curves.
 * This file imports no project file, because Vitest loads it while it loads core-wasm/src/wire/encoding/signature.ts.
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign, verify } from 'node:crypto'

/** The DER prefix of a PKCS #8 private key, before its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** More than one history needs. A full cache is cleared. */
const REMEMBERED_MAX = 20_000

interface NativeSigner {
  readonly key: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

const checked = new Map<string, boolean>()
const signers = new Map<string, NativeSigner>()
const publicKeys = new Map<string, KeyObject>()

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

const toName = (key: Uint8Array, signature: Uint8Array, message: Uint8Array): string =>
  text(key) + text(signature) + text(message)

function remember<V>(table: Map<string, V>, name: string, value: V): V {
  if (table.size >= REMEMBERED_MAX) table.clear()
  table.set(name, value)
  return value
}

/** Replaces the function of native-signer.ts and makes the same signatures. */
export function nativeSigner(secret: Uint8Array): NativeSigner {
  if (secret.length !== 32) throw new RangeError(`"secret" expected 32 bytes, got ${secret.length}`)
  const known = signers.get(text(secret))
  if (known !== undefined) return known
  const own = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(own).export({ format: 'jwk' })
  const key = new Uint8Array(Buffer.from(x, 'base64url'))
  const signWith = (message: Uint8Array): Uint8Array => {
    const signature = new Uint8Array(sign(null, message, own))
    remember(checked, toName(key, signature, message), true)
    return signature
  }
  return remember(signers, text(secret), { key, sign: signWith })
}

function toPublicKey(key: Uint8Array): KeyObject {
  const name = text(key)
  const known = publicKeys.get(name)
  if (known !== undefined) return known
  const x = Buffer.from(key).toString('base64url')
  return remember(publicKeys, name, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }))
}

export const ed25519 = {
  getPublicKey: (secret: Uint8Array): Uint8Array => nativeSigner(secret).key,
  sign: (message: Uint8Array, secret: Uint8Array): Uint8Array => nativeSigner(secret).sign(message),
  verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array, _options?: { zip215?: boolean }): boolean {
    const known = checked.get(toName(key, signature, message))
    if (known !== undefined) return known
    const isValid = verify(null, message, toPublicKey(key), signature)
    remember(checked, toName(key, signature, message), isValid)
    return isValid
  },
}

const exchangers = new Map<string, KeyObject>()

function toExchanger(secret: Uint8Array): KeyObject {
  const known = exchangers.get(text(secret))
  if (known !== undefined) return known
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' })
  return remember(exchangers, text(secret), key)
}

export const x25519 = {
  getPublicKey(secret: Uint8Array): Uint8Array {
    const { x = '' } = createPublicKey(toExchanger(secret)).export({ format: 'jwk' })
    return new Uint8Array(Buffer.from(x, 'base64url'))
  },
  getSharedSecret(secret: Uint8Array, key: Uint8Array): Uint8Array {
    const x = Buffer.from(key).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
    return new Uint8Array(diffieHellman({ privateKey: toExchanger(secret), publicKey }))
  },
}

/** Replaces the function of host-verify.ts. */
export const isSureSignature = (signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean =>
  ed25519.verify(signature, message, key)
