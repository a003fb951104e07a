/**
 * An operator's vote over a roster's hash and a commitment to a nonce. PROTOCOL.md §4.6. An operator votes once for each
 * period and never changes that vote. The nonces are opened one roster later. They rank the peers that the roster
 * admits, so that no joiner can pick a key for a chosen shard.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { HASH_BYTES } from '../constants.ts'
import { byteWriter, concatBytes, utf8 } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import type { Vote } from '../federation/roster.ts'
import type { Ballot } from '../messages/gossip.ts'

/** The 104 bytes that a voter signs: the roster and the commitment. */
export function voteContent({ federation, height, firstEpoch, hash }: Ballot, commitment: Uint8Array): Uint8Array {
  return byteWriter(104)
    .bytes(federation, HASH_BYTES)
    .u32(height)
    .u32(firstEpoch)
    .bytes(hash, HASH_BYTES)
    .bytes(commitment, HASH_BYTES)
    .finish()
}

/** H("geotrace/nonce" ‖ nonce). */
export function nonceToCommitment(nonce: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/nonce'), nonce))
}

export function signVote(signer: Signer, operator: number, ballot: Ballot, nonce: Uint8Array): Vote {
  const commitment = nonceToCommitment(nonce)
  return { operator, commitment, signature: signContent(signer, 'geotrace/vote', voteContent(ballot, commitment)) }
}

export function isValidVote(
  ballot: Ballot,
  key: Uint8Array,
  { commitment, signature }: Omit<Vote, 'operator'>,
): boolean {
  return isValidSignature(key, 'geotrace/vote', voteContent(ballot, commitment), signature)
}
