/**
 * An operator's vote over a roster's hash. PROTOCOL.md §4.6. An operator votes once for each period and never changes
 * that vote.
 */
import { HASH_BYTES } from '../constants.ts'
import { byteWriter } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import type { Vote } from '../federation/roster.ts'
import type { Ballot } from '../messages/gossip.ts'

/** The 72 bytes that a voter signs. */
export function voteContent({ federation, height, firstEpoch, hash }: Ballot): Uint8Array {
  return byteWriter(72).bytes(federation, HASH_BYTES).u32(height).u32(firstEpoch).bytes(hash, HASH_BYTES).finish()
}

export function signVote(signer: Signer, operator: number, ballot: Ballot): Vote {
  return { operator, signature: signContent(signer, 'geotrace/vote', voteContent(ballot)) }
}

export function isValidVote(ballot: Ballot, key: Uint8Array, { signature }: Omit<Vote, 'operator'>): boolean {
  return isValidSignature(key, 'geotrace/vote', voteContent(ballot), signature)
}
