/**
 * Tells the federation that a salt node signed an answer which its sheet does not hold. PROTOCOL.md §4.10.
 * The proof needs nobody's word and names time blocks and a shard only; two other members get it, gossip does the rest.
 */
import { isFederationError } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  decodeDone,
  type Evidence,
  encodeEvidence,
  encodeGossip,
  encodeRosterRequest,
  isProof,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Wire } from '../dialers/wire-session.ts'
import { shuffle } from './shuffle.ts'

/** Members that are told: one may be the liar's friend. */
const TOLD = 2
/** Tries for that: the sync waits meanwhile. */
const TRIED_MAX = 4

export interface Teller {
  wire: Wire
  random: (n: number) => Uint8Array
  /** Keys (hex) of nodes that lied to it before. */
  liars: ReadonlySet<string>
}

/** Never fails for a peer's sake: a lie that cannot be told now was caught all the same. Throws ABORTED. */
export async function submitEvidence(
  { wire, random, liars }: Teller,
  certified: CertifiedRoster,
  evidence: Evidence & { kind: 'answer' },
): Promise<void> {
  // An answer that the node did not sign proves nothing to others.
  if (!isProof(evidence, () => certified)) return
  const message = encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) })
  const others = certified.roster.members.filter(({ key }) => !liars.has(bytesToHex(key)))
  let told = 0
  for (const member of shuffle(others, random).slice(0, TRIED_MAX)) {
    if (told === TOLD) return
    try {
      decodeDone(await wire.request(member, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'submit', message })))
      told++
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      // Somebody told it already.
      if (isFederationError(error, 'FORBIDDEN')) told++
    }
  }
}
