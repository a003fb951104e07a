/**
 * Gives an operator's vote: one for each period, permanently. PROTOCOL.md §4.6. Throws FORBIDDEN.
 * The hash voted for is on disk before the signature exists, so a crash between the two cannot lead to a second vote.
 * The committed nonce follows from the operator's secret and the roster's hash, so only the hash is stored.
 */

import { createHmac } from 'node:crypto'
import { oneAtATime } from '@geotrace/core-wasm'
import {
  type Ballot,
  equalBytes,
  FederationError,
  type Predecessor,
  type Reveal,
  type Signer,
  signVote,
  type Vote,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

export interface Voter {
  readonly signer: Signer
  /** Index among the operators that vote on the roster after `predecessor`; undefined without a vote there. */
  operator(predecessor: Pick<Predecessor, 'operators'>): number | undefined
  /** Throws FORBIDDEN when the operator voted for another roster of this period, or has no vote. */
  vote(predecessor: Predecessor, ballot: Ballot): Promise<Vote>
  /** Opens the nonce of the vote for this roster; undefined without that vote. `operators` are those of the roster. */
  reveal(ballot: Ballot, operators: Predecessor['operators']): Promise<Reveal | undefined>
}

export function createVoter(signer: Signer, secret: Uint8Array, records: Records): Voter {
  const turn = oneAtATime()
  const nonce = (hash: Uint8Array): Uint8Array =>
    new Uint8Array(createHmac('sha256', secret).update('geotrace/nonce').update(hash).digest())
  const find = (operators: Predecessor['operators']): number | undefined => {
    const index = operators.findIndex(({ key }) => equalBytes(key, signer.key))
    return index < 0 ? undefined : index
  }
  const given = (firstEpoch: number): Promise<Uint8Array | undefined> => records.get(recordName(firstEpoch))
  return {
    signer,
    operator: ({ operators }) => find(operators),
    // One at a time, because two concurrent votes could both find the record empty.
    vote: (predecessor, ballot) =>
      turn(async () => {
        const operator = find(predecessor.operators)
        if (operator === undefined) throw new FederationError('FORBIDDEN', 'this operator does not vote on this roster')
        const before = await given(ballot.firstEpoch)
        if (before === undefined) await records.put(recordName(ballot.firstEpoch), ballot.hash)
        else if (!equalBytes(before, ballot.hash)) {
          throw new FederationError('FORBIDDEN', 'this operator voted for another roster of this period')
        }
        return signVote(signer, operator, ballot, nonce(ballot.hash))
      }),
    async reveal(ballot, operators) {
      const operator = find(operators)
      const before = await given(ballot.firstEpoch)
      if (operator === undefined || before === undefined || !equalBytes(before, ballot.hash)) return undefined
      const opened = nonce(ballot.hash)
      return { operator, nonce: opened, signature: signVote(signer, operator, ballot, opened).signature }
    },
  }
}

function recordName(firstEpoch: number): string {
  return `vote-${firstEpoch}`
}
