/**
 * The device's side of RFC 9474, RSABSSA-SHA384-PSS-Deterministic with keys of 2,048 bits and the exponent 65,537: the
 * variant of RFC 9578 §6. The issuer signs a number that says nothing about the message, and the device turns the result into
 * an ordinary RSASSA-PSS signature. BigInt takes variable time. That is measured on the device only, and no peer sees it.
 */
import { sha384 } from '@noble/hashes/sha2.js'
import type { Random } from '../random.ts'
import { bytesToHex, concatBytes, hexToBytes } from '../wire/encoding/bytes.ts'

/** Bytes of a modulus, a blinded message and a signature. */
export const RSA_BYTES = 256
const HASH_BYTES = 48
const SALT_BYTES = 48
const MASK_BYTES = RSA_BYTES - HASH_BYTES - 1
const TRAILER = 0xbc
/** The exponent is 2^16 + 1. */
const SQUARINGS = 16

export interface Blinded {
  /** The message as the issuer sees it: every message could have this form. */
  readonly message: Uint8Array
  /** The signature of the message, from the issuer's answer; undefined when the answer is no signature under this key. */
  unblind(answer: Uint8Array): Uint8Array | undefined
}

/** `modulus`: 256 bytes, odd, with the highest bit set. Draws the salt first, then the blind. */
export function blind(modulus: Uint8Array, message: Uint8Array, random: Random): Blinded {
  const n = toNumber(modulus)
  const encoded = toNumber(encodePss(message, random(SALT_BYTES)))
  const factor = drawBelow(n, random)
  const inverse = invert(factor, n)
  return {
    message: toBytes((encoded * raise(factor, n)) % n),
    unblind(answer) {
      const value = toNumber(answer)
      if (answer.length !== RSA_BYTES || value >= n) return undefined
      const signature = (value * inverse) % n
      return raise(signature, n) === encoded ? toBytes(signature) : undefined
    },
  }
}

/** EMSA-PSS-ENCODE of RFC 8017 §9.1.1 for 2,047 bits, with SHA-384 and MGF1-SHA-384. */
function encodePss(message: Uint8Array, salt: Uint8Array): Uint8Array {
  const hash = sha384(concatBytes(new Uint8Array(8), sha384(message), salt))
  const block = concatBytes(new Uint8Array(MASK_BYTES - SALT_BYTES - 1), Uint8Array.of(1), salt)
  const mask = toMask(hash)
  const masked = block.map((byte, i) => byte ^ mask[i]!)
  masked[0]! &= 0x7f
  return concatBytes(masked, hash, Uint8Array.of(TRAILER))
}

/** MGF1 of RFC 8017 §B.2.1. */
function toMask(seed: Uint8Array): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(MASK_BYTES / HASH_BYTES) }, (_, i) =>
    sha384(concatBytes(seed, Uint8Array.of(0, 0, 0, i))),
  )
  return concatBytes(...blocks).subarray(0, MASK_BYTES)
}

/** Uniform in 1 to n − 1. At least every second draw succeeds, because the highest bit of n is set. */
function drawBelow(n: bigint, random: Random): bigint {
  for (;;) {
    const value = toNumber(random(RSA_BYTES))
    if (value > 0n && value < n) return value
  }
}

/** value^65537 mod n. */
function raise(value: bigint, n: bigint): bigint {
  let power = value
  for (let i = 0; i < SQUARINGS; i++) power = (power * power) % n
  return (power * value) % n
}

/** The inverse modulo n. Throws RangeError when there is none; then the value shares a prime with the issuer's key. */
function invert(value: bigint, n: bigint): bigint {
  let [a, b] = [value, n]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  if (a !== 1n) throw new RangeError('"value" expected no common factor with the modulus')
  return x < 0n ? x + n : x
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes)}`)
}

function toBytes(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(2 * RSA_BYTES, '0'))
}
