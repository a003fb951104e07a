/**
 * Sealing to a public key: HPKE (RFC 9180) in base mode with one suite, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305. One message a context. Synchronous, with injected randomness, so that simulations can run it.
 * Opening throws SEAL_UNKNOWN, for another key and for changed bytes alike. Seeds and keys have 32 bytes.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../random.ts'
import { concatBytes, utf8 } from '../wire/encoding/bytes.ts'
import { FederationError } from '../wire/errors.ts'

export const SEAL_KEY_BYTES = 32
/** Bytes that a sealed message has beside its content: the ephemeral key and the tag. */
export const SEAL_BYTES = SEAL_KEY_BYTES + 16

const NONCE_BYTES = 12
const EMPTY = new Uint8Array(0)
/** RFC 9180 §4.1, §5.1: kem_id 0x0020; kdf_id 0x0001, aead_id 0x0003. */
const KEM_SUITE = concatBytes(utf8('KEM'), Uint8Array.of(0, 0x20))
const HPKE_SUITE = concatBytes(utf8('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 3))
const VERSION_LABEL = utf8('HPKE-v1')
const MODE_BASE = 0

/** The arithmetic below a seal. Devices use @noble; a node may use the faster one of its host. */
export interface SealMath {
  publicKey(secret: Uint8Array): Uint8Array
  /** X25519. Throws for a key of small order, whose shared secret everybody knows. */
  sharedSecret(secret: Uint8Array, key: Uint8Array): Uint8Array
  /** HKDF-Extract and HKDF-Expand with SHA-256. */
  extract(ikm: Uint8Array, salt: Uint8Array): Uint8Array
  expand(prk: Uint8Array, info: Uint8Array, bytes: number): Uint8Array
  /** ChaCha20-Poly1305. `decrypt` throws for changed bytes. */
  encrypt(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, aad: Uint8Array): Uint8Array
  decrypt(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array
}
const NOBLE: SealMath = {
  publicKey: x25519.getPublicKey,
  sharedSecret: x25519.getSharedSecret,
  extract: (ikm, salt) => extract(sha256, ikm, salt),
  expand: (prk, info, bytes) => expand(sha256, prk, info, bytes),
  encrypt: (key, nonce, plain, aad) => chacha20poly1305(key, nonce, aad).encrypt(plain),
  decrypt: (key, nonce, sealed, aad) => chacha20poly1305(key, nonce, aad).decrypt(sealed),
}

/** The keys of one message (RFC 9180 §5.1). */
export interface SealContext {
  /** The ephemeral public key, which the receiver needs. */
  readonly enc: Uint8Array
  seal(plain: Uint8Array, aad?: Uint8Array): Uint8Array
  /** Throws SEAL_UNKNOWN. */
  open(sealed: Uint8Array, aad?: Uint8Array): Uint8Array
  /** A secret that both sides know, RFC 9180 §5.3. */
  exportSecret(context: Uint8Array, bytes: number): Uint8Array
}

/** The public key of a 32-byte secret. */
export function secretToSealKey(secret: Uint8Array, math = NOBLE): Uint8Array {
  return math.publicKey(secret)
}

/** Throws SEAL_UNKNOWN for a public key of small order. */
export function contextToSend(receiver: Uint8Array, info: Uint8Array, random: Random, math = NOBLE): SealContext {
  const ephemeral = random(SEAL_KEY_BYTES)
  const enc = math.publicKey(ephemeral)
  const shared = toShared(math, ephemeral, receiver)
  ephemeral.fill(0)
  return toContext(math, { shared, enc, receiver, info })
}

/** `receiver`: the public key of `secret`. Throws SEAL_UNKNOWN for an ephemeral key of small order. */
export function contextToReceive(
  secret: Uint8Array,
  receiver: Uint8Array,
  enc: Uint8Array,
  info: Uint8Array,
  math = NOBLE,
): SealContext {
  return toContext(math, { shared: toShared(math, secret, enc), enc, receiver, info })
}

/** The ephemeral key, then the sealed bytes: one message (RFC 9180 §6.1). Throws SEAL_UNKNOWN for a bad receiver. */
export function sealTo(
  receiver: Uint8Array,
  info: Uint8Array,
  plain: Uint8Array,
  random: Random,
  math = NOBLE,
): Uint8Array {
  const context = contextToSend(receiver, info, random, math)
  return concatBytes(context.enc, context.seal(plain))
}

/** Throws SEAL_UNKNOWN. */
export function openSealed(secret: Uint8Array, info: Uint8Array, message: Uint8Array, math = NOBLE): Uint8Array {
  if (message.length < SEAL_BYTES) unknown()
  const enc = message.subarray(0, SEAL_KEY_BYTES)
  const context = contextToReceive(secret, secretToSealKey(secret, math), enc, info, math)
  return context.open(message.subarray(SEAL_KEY_BYTES))
}

/** ChaCha20-Poly1305. Throws SEAL_UNKNOWN. */
export function decrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array = EMPTY,
  math = NOBLE,
): Uint8Array {
  try {
    return math.decrypt(key, nonce, sealed, aad)
  } catch (cause) {
    return unknown(cause)
  }
}

export function encrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  aad: Uint8Array = EMPTY,
  math = NOBLE,
): Uint8Array {
  return math.encrypt(key, nonce, plain, aad)
}

function toShared(math: SealMath, secret: Uint8Array, key: Uint8Array): Uint8Array {
  try {
    return math.sharedSecret(secret, key)
  } catch (cause) {
    return unknown(cause)
  }
}

interface Agreed {
  readonly shared: Uint8Array
  readonly enc: Uint8Array
  readonly receiver: Uint8Array
  readonly info: Uint8Array
}

/** ExtractAndExpand (§4.1) and KeySchedule (§5.1). */
function toContext(math: SealMath, { shared, enc, receiver, info }: Agreed): SealContext {
  const labeledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
    math.extract(concatBytes(VERSION_LABEL, suite, utf8(label), ikm), salt)
  const labeledExpand = (suite: Uint8Array, prk: Uint8Array, label: string, context: Uint8Array, bytes: number) =>
    math.expand(
      prk,
      concatBytes(Uint8Array.of(bytes >> 8, bytes & 0xff), VERSION_LABEL, suite, utf8(label), context),
      bytes,
    )
  const eaePrk = labeledExtract(KEM_SUITE, EMPTY, 'eae_prk', shared)
  const kemSecret = labeledExpand(KEM_SUITE, eaePrk, 'shared_secret', concatBytes(enc, receiver), SEAL_KEY_BYTES)
  const schedule = concatBytes(
    Uint8Array.of(MODE_BASE),
    labeledExtract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(HPKE_SUITE, EMPTY, 'info_hash', info),
  )
  const secret = labeledExtract(HPKE_SUITE, kemSecret, 'secret', EMPTY)
  const key = labeledExpand(HPKE_SUITE, secret, 'key', schedule, SEAL_KEY_BYTES)
  const nonce = labeledExpand(HPKE_SUITE, secret, 'base_nonce', schedule, NONCE_BYTES)
  const exporter = labeledExpand(HPKE_SUITE, secret, 'exp', schedule, SEAL_KEY_BYTES)
  for (const used of [shared, eaePrk, kemSecret, secret]) used.fill(0)
  return {
    enc,
    seal: (plain, aad) => encrypt(key, nonce, plain, aad, math),
    open: (sealed, aad) => decrypt(key, nonce, sealed, aad, math),
    exportSecret: (context, bytes) => labeledExpand(HPKE_SUITE, exporter, 'sec', context, bytes),
  }
}

function unknown(cause?: unknown): never {
  throw new FederationError('SEAL_UNKNOWN', 'the bytes were sealed to another key or were changed', undefined, {
    cause,
  })
}
