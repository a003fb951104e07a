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
import type { Wire } from './wire-session.ts'

const TOLD = 2

/** Never fails for a peer's sake: a lie that cannot be told now was caught all the same. Throws ABORTED. */
export async function reportLie(
  wire: Wire,
  certified: CertifiedRoster,
  liar: Uint8Array,
  request: Uint8Array,
  answer: Uint8Array,
  liars: ReadonlySet<string>,
): Promise<void> {
  const evidence: Evidence = { kind: 'answer', key: liar, request, answer }
  // An answer that the node did not sign proves nothing to others.
  if (!isProof(evidence, () => certified)) return
  const message = encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) })
  let told = 0
  for (const member of certified.roster.members) {
    if (told === TOLD) return
    if (liars.has(bytesToHex(member.key))) continue
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
