/**
 * Ranks order the operators for each shard, so nobody may choose one. PROTOCOL.md §4.2, §4.9. Pure.
 * A rank is a hash of nonces. Each nonce was committed to before anybody knew the others. At founding the cards carry
 * the commitments, and all nonces are opened once the manifest is frozen. Later the operators commit before a roster
 * admits a new operator, and open their nonces after that roster is certified.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { HASH_BYTES } from '../constants.ts'
import { byteWriter, concatBytes, utf8 } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import type { Commitment } from './roster.ts'

/** H("geotrace/nonce" ‖ nonce). */
export function nonceToCommitment(nonce: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/nonce'), nonce))
}

/** The rank of the operator with this key, 32 bytes. */
export function drawRank(operatorKey: Uint8Array, nonces: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/rank'), operatorKey, ...nonces))
}

/** An operator commits to a nonce for the roster that follows `previous`, the hash of a roster. */
export function signCommitment(
  signer: Signer,
  federation: Uint8Array,
  previous: Uint8Array,
  nonce: Uint8Array,
): Commitment {
  const commitment = nonceToCommitment(nonce)
  const content = commitmentContent(federation, previous, commitment)
  return { commitment, signature: signContent(signer, 'geotrace/commitment', content) }
}

export function isValidCommitment(
  { commitment, signature }: Commitment,
  federation: Uint8Array,
  previous: Uint8Array,
  operatorKey: Uint8Array,
): boolean {
  const content = commitmentContent(federation, previous, commitment)
  return isValidSignature(operatorKey, 'geotrace/commitment', content, signature)
}

function commitmentContent(federation: Uint8Array, previous: Uint8Array, commitment: Uint8Array): Uint8Array {
  const writer = byteWriter(3 * HASH_BYTES)
    .bytes(federation, HASH_BYTES)
    .bytes(previous, HASH_BYTES)
  return writer.bytes(commitment, HASH_BYTES).finish()
}
