/**
 * Signs for an operator: one vote and one proposal for each period, permanently. PROTOCOL.md §4.6, §4.7. Throws FORBIDDEN.
 * The hash is on disk before the signature exists, so a crash between the two cannot lead to a second signature.
 * The committed nonce follows from the operator's secret and the roster's hash, so only the hash is stored.
 */

import { createHmac } from 'node:crypto'
import {
  type Ballot,
  equalBytes,
  FederationError,
  type Predecessor,
  type Proposal,
  type Reveal,
  type Signer,
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
  /** Opens the nonce of the vote for this roster; undefined without that vote. `operators` are those of the roster. */
  reveal(ballot: Ballot, operators: Predecessor['operators']): Promise<Reveal | undefined>
}

export function createVoter(signer: Signer, secret: Uint8Array, records: Records): Voter {
  const votes = createPledges(records, 'votes')
  const proposals = createPledges(records, 'proposals')
  const nonce = (hash: Uint8Array): Uint8Array =>
    new Uint8Array(createHmac('sha256', secret).update('geotrace/nonce').update(hash).digest())
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
      return signVote(signer, operator, ballot, nonce(ballot.hash))
    },
    async propose(predecessor, { federation, height, firstEpoch, hash }, holder) {
      const operator = find(predecessor.operators)
      if (operator === undefined || !(await proposals.give(firstEpoch, hash))) return undefined
      return signProposal(signer, federation, { height, firstEpoch, hash, holder, operator })
    },
    async reveal(ballot, operators) {
      const operator = find(operators)
      const before = await votes.of(ballot.firstEpoch)
      if (operator === undefined || before === undefined || !equalBytes(before, ballot.hash)) return undefined
      const opened = nonce(ballot.hash)
      return { operator, nonce: opened, signature: signVote(signer, operator, ballot, opened).signature }
    },
  }
}
