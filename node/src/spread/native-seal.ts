/**
 * The arithmetic of a seal by OpenSSL: the same bytes as in JavaScript (RFC 9180), several times as fast. PROTOCOL.md §9.2.
 * The mixer seals tens of thousands of dummies. Throws what OpenSSL throws for keys of small order and changed bytes.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import type { SealMath } from '@geotrace/core-wasm/seal'
import { boundedMap } from '@geotrace/core-wasm/wire'

/** DER of an X25519 key before its 32 bytes (RFC 8410, PKCS #8). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** A JWK of a secret has a public key too, which OpenSSL does not read. */
const NO_KEY = Buffer.alloc(32).toString('base64url')
const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
const HASH_BYTES = 32
/** Public keys that are parsed already: the teller's key stands in every dummy. */
const KEYS_MAX = 4

/**
 * One for each run, because it keeps the role's secret parsed until `wipe`. `isEphemeral`: each secret seals one message. It is
 * parsed from a text, which stays in memory until it is collected, and takes a tenth of the time (2026-11).
 */
export function nativeSeal({ isEphemeral = false } = {}): SealMath & { wipe(): void } {
  const toPrivate = isEphemeral ? toEphemeral : toLasting
  let own: { bytes: Uint8Array; key: KeyObject; publicKey: Uint8Array } | undefined
  const receivers = boundedMap<string, KeyObject>(KEYS_MAX)

  const isOwn = (secret: Uint8Array): boolean => own !== undefined && Buffer.compare(own.bytes, secret) === 0
  const toReceiver = (key: Uint8Array): KeyObject => {
    const name = Buffer.from(key).toString('latin1')
    const known = receivers.get(name) ?? toPublic(key)
    receivers.set(name, known)
    return known
  }
  return {
    publicKey(secret) {
      if (isOwn(secret)) return own!.publicKey
      const key = toPrivate(secret)
      const publicKey = exportPublic(key)
      own = { bytes: secret.slice(), key, publicKey }
      return publicKey
    },
    sharedSecret(secret, key) {
      const privateKey = isOwn(secret) ? own!.key : toPrivate(secret)
      return new Uint8Array(diffieHellman({ privateKey, publicKey: toReceiver(key) }))
    },
    extract: (ikm, salt) => hmac(salt, ikm),
    expand(prk, info, bytes) {
      const out = new Uint8Array(bytes)
      let block = new Uint8Array(0)
      for (let at = 0, n = 1; at < bytes; at += HASH_BYTES, n++) {
        block = hmac(prk, block, info, Uint8Array.of(n))
        out.set(block.subarray(0, bytes - at), at)
      }
      return out
    },
    encrypt(key, nonce, plain, aad) {
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(aad, { plaintextLength: plain.length })
      return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
    },
    decrypt(key, nonce, sealed, aad) {
      const plaintextLength = sealed.length - TAG_BYTES
      if (plaintextLength < 0) throw new RangeError('"sealed" expected a tag')
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(aad, { plaintextLength })
      decipher.setAuthTag(sealed.subarray(plaintextLength))
      return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, plaintextLength)), decipher.final()]))
    },
    wipe() {
      own?.bytes.fill(0)
      own = undefined
    },
  }
}

function toLasting(secret: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8_HEAD, secret])
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}

function toEphemeral(secret: Uint8Array): KeyObject {
  const d = Buffer.from(secret).toString('base64url')
  return createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x: NO_KEY, d }, format: 'jwk' })
}

function toPublic(key: Uint8Array): KeyObject {
  const x = Buffer.from(key).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
}

function exportPublic(key: KeyObject): Uint8Array {
  // In a JWK, x is the public key (RFC 8037). OpenSSL 3 needs far longer to write DER.
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x, 'base64url'))
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}
