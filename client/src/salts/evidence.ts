/**
 * Submits the proof that a salt node signed an answer which does not fit its sheet. PROTOCOL.md §4.10. The proof is valid
 * without trust in the sender, and it names times and a shard only. Two other members get it; gossip does the rest.
 */
import { isFederationError, type Random } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  decodeDone,
  type EvaluationVerifier,
  type Evidence,
  encodeEvidence,
  encodeGossip,
  encodeRosterRequest,
  isProof,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'
import { shuffle } from './shuffle.ts'

/** Members that must take the proof: one member alone may collude with the liar. */
const RECIPIENTS = 2
/** Members tried for that, because the sync waits meanwhile. */
const TRIED_MAX = 4

interface EvidenceSender {
  readonly session: Session
  readonly random: Random
  /** Keys (hex) of salt nodes that lied to this tracer. */
  readonly liars: ReadonlySet<string>
}

/** Throws ABORTED only. When no member takes the proof, the device still knows the liar and does not ask it again. */
export async function submitEvidence(
  { session, random, liars }: EvidenceSender,
  certified: CertifiedRoster,
  evidence: Evidence & { kind: 'answer' | 'evaluation' },
  verifier?: EvaluationVerifier,
): Promise<void> {
  // An answer that the node did not sign proves nothing to others.
  if (!isProof(evidence, () => certified, verifier)) return
  const message = encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) })
  const others = certified.roster.members.filter(({ key }) => !liars.has(bytesToHex(key)))
  let taken = 0
  for (const member of shuffle(others, random).slice(0, TRIED_MAX)) {
    if (taken === RECIPIENTS) return
    try {
      decodeDone(await session.request(member, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'submit', message })))
      taken++
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      // The member has this proof already.
      if (isFederationError(error, 'FORBIDDEN')) taken++
    }
  }
}
