/**
 * An operator's vote: one for each height, for ever. PROTOCOL.md §4.6.
 * The hash voted for is on disk before the signature exists, so a crash between the two cannot make a second vote.
 */
import {
  assertProposal,
  bytesToHex,
  type CertifiedRoster,
  equalBytes,
  FederationError,
  type Manifest,
  type Signer,
  signContent,
  type Vote,
} from '@geotrace/core-wasm/wire'
import type { Records } from './records.ts'

export interface Voter {
  /** Index into the manifest's operators. */
  readonly operator: number
  /** Throws ROSTER_INVALID, or FORBIDDEN when it voted for another roster of this height. */
  vote(proposal: CertifiedRoster): Promise<Vote>
}

/** Throws MANIFEST_INVALID unless the signer's key is an operator's. */
export function createVoter(manifest: Manifest, signer: Signer, records: Records): Voter {
  const key = bytesToHex(signer.key)
  const operator = manifest.operators.findIndex((item) => item.key === key)
  if (operator < 0) {
    const reason = 'none has the operator key given to this peer'
    throw new FederationError('MANIFEST_INVALID', `federation.json: operators: ${reason}`, {
      path: 'operators',
      reason,
    })
  }
  let last: Promise<unknown> = Promise.resolve()
  let voted: Uint8Array | undefined

  const record = async ({ roster, hash }: CertifiedRoster): Promise<void> => {
    const name = `vote-${roster.height}`
    const given = await records.get(name)
    if (given === undefined) await records.put(name, hash)
    else if (!equalBytes(given, hash)) {
      throw new FederationError('FORBIDDEN', `this operator voted for another roster of height ${roster.height}`)
    }
  }
  return {
    operator,
    async vote(proposal) {
      // The same roster again needs no second look: its hash covers all that the vote is for.
      if (voted === undefined || !equalBytes(voted, proposal.hash)) assertProposal(manifest, proposal)
      // One after the other: two proposals at once must not both find the record empty.
      const turn = last.then(() => record(proposal))
      last = turn.catch(() => {})
      await turn
      voted = proposal.hash
      return { operator, signature: signContent(signer, 'geotrace/vote', proposal.hash) }
    },
  }
}
