/**
 * RFC 9497 in mode 0x01 (VOPRF) with ristretto255 and SHA-512. PROTOCOL.md §5.8. A client learns F(k, input). The holder of
 * k learns nothing about the input and proves that it used k. The input is a cell; the first half of the output is the secret
 * of its risk hashes. Throws RangeError for bytes that are no element.
 */
import type { Random } from '../random.ts'
import { concatBytes, equalBytes, utf8 } from '../wire/encoding/bytes.ts'
import { GENERATOR, type Group } from './group.ts'
import type { ResponderWeights } from './shares.ts'

/** The key pair of an evaluation: a scalar and its public key, 32 bytes each. */
export interface EvaluationKey {
  readonly secret: Uint8Array
  readonly public: Uint8Array
}
/** The evaluated elements in the order of the request, and one proof c ‖ s for all of them. */
export interface Evaluation {
  readonly evaluated: readonly Uint8Array[]
  readonly proof: Uint8Array
}

/** Bytes of the secret of a risk hash. */
const SECRET_BYTES = 32
const SCALAR_BYTES = 32
const CONTEXT = concatBytes(utf8('OPRFV1-'), Uint8Array.of(1), utf8('-ristretto255-SHA512'))
const TO_GROUP = toDomain('HashToGroup-')
const TO_SCALAR = toDomain('HashToScalar-')
const SEED_DOMAIN = prefixed(concatBytes(utf8('Seed-'), CONTEXT))
const [COMPOSITE, CHALLENGE, FINALIZE] = ['Composite', 'Challenge', 'Finalize'].map(utf8) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
/** expand_message_xmd begins with one block of zeros (RFC 9380 §5.3.1). */
const ZERO_BLOCK = new Uint8Array(128)
/** The length of the expanded message, 64, and a zero byte. */
const EXPANDED_LENGTH = Uint8Array.of(0, 64, 0)

/** The input of a cell: its id as a big-endian u64. */
export function cellToInput(cell: bigint): Uint8Array {
  const input = new Uint8Array(8)
  new DataView(input.buffer).setBigUint64(0, cell)
  return input
}

/** A uniform scalar, from 64 random bytes that are wiped. The caller wipes the scalar. */
export function randomScalar(group: Pick<Group, 'scalarReduce'>, random: Random): Uint8Array {
  const bytes = random(64)
  const scalar = group.scalarReduce(bytes)
  bytes.fill(0)
  return scalar
}

/** The blinded element of an input: blind · HashToGroup(input). */
export function blindInput(group: Group, input: Uint8Array, blind: Uint8Array): Uint8Array {
  return group.multiply(blind, group.fromHash(expand(group, TO_GROUP, input)))
}

/** An element that nothing distinguishes from a blinded one; it pads a batch. */
export function randomElement(group: Group, random: Random): Uint8Array {
  return group.fromHash(random(64))
}

/**
 * Evaluates a batch and proves it (BlindEvaluate of §3.3.2). Yields after each multiplication, so that a server can do other
 * work between. `nonce` is a fresh uniform scalar, wiped at the end: a nonce used twice reveals the key.
 */
export function* evaluating(
  group: Group,
  key: EvaluationKey,
  blinded: readonly Uint8Array[],
  nonce: Uint8Array,
): Generator<void, Evaluation> {
  try {
    const evaluated: Uint8Array[] = []
    for (const element of blinded) {
      evaluated.push(group.multiply(key.secret, element))
      yield
    }
    const m = group.sum(toWeights(group, key.public, blinded, evaluated), blinded)
    yield
    const z = group.multiply(key.secret, m)
    const c = challenge(group, key.public, m, z, group.multiplyBase(nonce), group.multiply(nonce, m))
    const product = group.scalarMultiply(c, key.secret)
    const s = group.scalarSubtract(nonce, product)
    product.fill(0)
    return { evaluated, proof: concatBytes(c, s) }
  } finally {
    nonce.fill(0)
  }
}

/** Whether the holder of the secret of `publicKey` evaluated every element (VerifyProof of §2.2.2). */
export function isValidEvaluation(
  group: Group,
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  { evaluated, proof }: Evaluation,
): boolean {
  if (evaluated.length !== blinded.length || blinded.length === 0 || proof.length !== 2 * SCALAR_BYTES) return false
  const [c, s] = [proof.subarray(0, SCALAR_BYTES), proof.subarray(SCALAR_BYTES)]
  // One proof has one encoding, so that all implementations judge it alike.
  if (!equalBytes(group.scalarReduce(concatBytes(s, new Uint8Array(SCALAR_BYTES))), s)) return false
  try {
    const weights = toWeights(group, publicKey, blinded, evaluated)
    const [m, z] = [group.sum(weights, blinded), group.sum(weights, evaluated)]
    const [t2, t3] = [group.sum([s, c], [GENERATOR, publicKey]), group.sum([s, c], [m, z])]
    return equalBytes(challenge(group, publicKey, m, z, t2, t3), c)
  } catch (error) {
    // An operand is no element, or a product is the identity: no honest answer leads to either.
    if (error instanceof RangeError) return false
    throw error
  }
}

/**
 * The output for an input, from the answers of t replicas (Finalize of §3.3.2): `scale` is blind⁻¹ · `inverse` of their
 * weights. Answers are public, and so is their sum. Returns the secret of the risk hash, 32 bytes.
 */
export function finalize(
  group: Group,
  input: Uint8Array,
  factors: ResponderWeights['factors'],
  scale: Uint8Array,
  evaluated: readonly Uint8Array[],
): Uint8Array {
  const element = group.multiply(scale, group.sum(factors, evaluated))
  const message = concatBytes(prefixed(input), prefixed(element), FINALIZE)
  const output = group.sha512(message)
  const secret = output.slice(0, SECRET_BYTES)
  for (const bytes of [element, message, output]) bytes.fill(0)
  return secret
}

/** d_i of every element (ComputeComposites of §2.2.1). */
function toWeights(
  group: Group,
  publicKey: Uint8Array,
  blinded: readonly Uint8Array[],
  evaluated: readonly Uint8Array[],
): Uint8Array[] {
  const seed = prefixed(group.sha512(prefixed(publicKey), SEED_DOMAIN))
  return blinded.map((element, i) =>
    hashToScalar(group, seed, u16(i), prefixed(element), prefixed(evaluated[i]!), COMPOSITE),
  )
}

function challenge(group: Group, ...elements: readonly Uint8Array[]): Uint8Array {
  return hashToScalar(group, ...elements.map(prefixed), CHALLENGE)
}

function hashToScalar(group: Group, ...message: readonly Uint8Array[]): Uint8Array {
  return group.scalarReduce(expand(group, TO_SCALAR, ...message))
}

/** expand_message_xmd with SHA-512 to 64 bytes (RFC 9380 §5.3.1). */
function expand(group: Group, domain: Uint8Array, ...message: readonly Uint8Array[]): Uint8Array {
  const first = group.sha512(ZERO_BLOCK, ...message, EXPANDED_LENGTH, domain)
  return group.sha512(first, Uint8Array.of(1), domain)
}

function toDomain(name: string): Uint8Array {
  const domain = concatBytes(utf8(name), CONTEXT)
  return concatBytes(domain, Uint8Array.of(domain.length))
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return concatBytes(u16(bytes.length), bytes)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}
