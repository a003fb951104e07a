/**
 * Submits messages that prove themselves, so that nobody needs to trust the sender. PROTOCOL.md §4.10, §4.11. One is the
 * proof that a salt node signed a false answer, or that the central peer pinned two rosters for one epoch. The other is a
 * pin that salt nodes may not know. They name epochs, time blocks and a shard only. Two members get each; gossip does the
 * rest.
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
  type Pin,
  ROSTER_PROTOCOL,
  type RosterPeer,
} from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'
import { shuffle } from './shuffle.ts'

/** Members that must take the message: one member alone may collude with the liar. */
const RECIPIENTS = 2
/** Members tried for that, because the sync waits meanwhile. */
const TRIED_MAX = 4

interface Sender {
  readonly session: Session
  readonly random: Random
  /** Keys (hex) of salt nodes that lied to this tracer. */
  readonly liars: ReadonlySet<string>
}

/** Throws ABORTED only. When no member takes the proof, the device still knows it. */
export async function submitEvidence(
  sender: Sender,
  certified: CertifiedRoster,
  evidence: Evidence,
  verifier?: EvaluationVerifier,
): Promise<void> {
  // An answer that the node did not sign proves nothing to others.
  if (!isProof(evidence, () => certified, verifier)) return
  await tellEvidence(sender, certified.roster.members, evidence)
}

/** The same to some of these members. */
export function tellEvidence(sender: Sender, members: readonly RosterPeer[], evidence: Evidence): Promise<void> {
  return submit(sender, members, encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) }))
}

/** Throws ABORTED only. */
export function submitPin(sender: Sender, certified: CertifiedRoster, pin: Pin): Promise<void> {
  return submit(sender, certified.roster.members, encodeGossip({ kind: 'pin', ...pin }))
}

async function submit(
  { session, random, liars }: Sender,
  members: readonly RosterPeer[],
  message: Uint8Array,
): Promise<void> {
  const others = members.filter(({ key }) => !liars.has(bytesToHex(key)))
  let taken = 0
  for (const member of shuffle(others, random).slice(0, TRIED_MAX)) {
    if (taken === RECIPIENTS) return
    try {
      decodeDone(await session.request(member, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'submit', message })))
      taken++
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      // The member has this message already.
      if (isFederationError(error, 'FORBIDDEN')) taken++
    }
  }
}
