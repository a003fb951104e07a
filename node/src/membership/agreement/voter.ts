/**
 * Signs for an operator: one vote and one proposal for each period, permanently. PROTOCOL.md §4.6, §4.7. Throws FORBIDDEN.
 * The hash is on disk before the signature exists, so a crash between the two cannot lead to a second signature.
 * The nonce of a commitment follows from the operator's secret and the hash of the roster before, so it needs no disk.
 */

import { createHmac } from 'node:crypto'
import {
  type Ballot,
  type Commitment,
  equalBytes,
  FederationError,
  nonceToCommitment,
  type Predecessor,
  type Proposal,
  type Roster,
  type Signer,
  signCommitment,
  signProposal,
  signVote,
  type Vote,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'
import { createPledges } from './pledges.ts'

export interface Voter {
  readonly signer: Signer
  /** Index among the operators that vote on the roster after `predecessor`; undefined without a vote there. */
  operator(predecessor: Pick<Predecessor, 'operators'>): number | undefined
  /** Throws FORBIDDEN when the operator voted for another roster of this period, or has no vote. */
  vote(predecessor: Predecessor, ballot: Ballot): Promise<Vote>
  /** The signed proposal; undefined when the operator proposed another roster of this period, or has no vote. */
  propose(predecessor: Predecessor, ballot: Ballot, holder: Uint8Array): Promise<Proposal | undefined>
  /** The commitment to our nonce for the roster that follows `previous`, the hash of a roster. The same at each call. */
  commit(federation: Uint8Array, previous: Uint8Array): Commitment
  /** Our nonce for this roster and the index of its commitment there; undefined when the roster has none of ours. */
  open(roster: Pick<Roster, 'previous' | 'commitments'>): { operator: number; nonce: Uint8Array } | undefined
}

export function createVoter(signer: Signer, secret: Uint8Array, records: Records): Voter {
  const votes = createPledges(records, 'votes')
  const proposals = createPledges(records, 'proposals')
  const toNonce = (previous: Uint8Array): Uint8Array =>
    new Uint8Array(createHmac('sha256', secret).update('geotrace/nonce').update(previous).digest())
  const find = (operators: Predecessor['operators']): number | undefined => {
    const index = operators.findIndex(({ key }) => equalBytes(key, signer.key))
    return index < 0 ? undefined : index
  }
  return {
    signer,
    operator: ({ operators }) => find(operators),
    async vote(predecessor, ballot) {
      const operator = find(predecessor.operators)
      if (operator === undefined) throw new FederationError('FORBIDDEN', 'this operator does not vote on this roster')
      if (!(await votes.give(ballot.firstEpoch, ballot.hash)))
        throw new FederationError('FORBIDDEN', 'this operator voted for another roster of this period')
      return signVote(signer, operator, ballot)
    },
    async propose(predecessor, { federation, height, firstEpoch, hash }, holder) {
      const operator = find(predecessor.operators)
      if (operator === undefined || !(await proposals.give(firstEpoch, hash))) return undefined
      return signProposal(signer, federation, { height, firstEpoch, hash, holder, operator })
    },
    commit: (federation, previous) => signCommitment(signer, federation, previous, toNonce(previous)),
    open({ previous, commitments }) {
      const nonce = toNonce(previous)
      const own = nonceToCommitment(nonce)
      const operator = commitments.findIndex((item) => item !== null && equalBytes(item.commitment, own))
      return operator < 0 ? undefined : { operator, nonce }
    },
  }
}
