/**
 * The issuer's keys of a demo: their primes derive from the phrase. PROTOCOL.md §4.3. Everybody can make them, so tokens of a
 * demo are worth nothing elsewhere. Two keys share a prime, which costs the demo nothing and saves the search for another one.
 */
import { checkPrimeSync, createHash } from 'node:crypto'
import type { TokenKind } from '@geotrace/core-wasm/tokens'
import { demoSecret } from '@geotrace/core-wasm/wire'
import { type PrivateNumbers, primesToNumbers } from '../platform/rsa-numbers.ts'

const PRIME_BITS = 1_024
const BLOCK_BITS = 256
const EXPONENT = 65_537n

export function demoIssuerNumbers(phrase: string): Readonly<Record<TokenKind, PrivateNumbers>> {
  const [p, q, r] = ['p', 'q', 'r'].map((name) => toPrime(phrase, name)) as [bigint, bigint, bigint]
  return { evaluation: primesToNumbers(p, q, EXPONENT), relay: primesToNumbers(p, r, EXPONENT) }
}

/** The first suitable prime from a number that derives from the phrase, with its two highest bits set. */
function toPrime(phrase: string, name: string): bigint {
  const seed = demoSecret(phrase, `issuer/${name}`)
  const blocks = Array.from({ length: PRIME_BITS / BLOCK_BITS }, (_, i) =>
    createHash('sha256').update(seed).update(Uint8Array.of(i)).digest('hex'),
  )
  let candidate = BigInt(`0x${blocks.join('')}`) | (3n << BigInt(PRIME_BITS - 2)) | 1n
  while (!checkPrimeSync(candidate) || candidate % EXPONENT === 1n) candidate += 2n
  return candidate
}
