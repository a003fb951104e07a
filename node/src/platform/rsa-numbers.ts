/** The numbers of an RSA key from its two primes, in the form that node:crypto takes. RFC 8017 §3.2. */
import { createPrivateKey, type KeyObject } from 'node:crypto'

export interface PrivateNumbers {
  /** Hex, without leading zeros. */
  readonly modulus: string
  readonly key: KeyObject
}

export function primesToNumbers(p: bigint, q: bigint, exponent: bigint): PrivateNumbers {
  const n = p * q
  const d = inverse(exponent, (p - 1n) * (q - 1n))
  const parts = { n, e: exponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const jwk = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, toBase64(value)]))
  return { modulus: n.toString(16), key: createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' }) }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b, x, y] = [b, a - quotient * b, y, x - quotient * y]
  }
  return x < 0n ? x + modulus : x
}

function toBase64(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}
