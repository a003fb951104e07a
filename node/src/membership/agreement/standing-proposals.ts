/**
 * The proposals that a voter considers. PROTOCOL.md §4.7. Pure.
 */
import { isGone, type Predecessor, type Proposal, type Roster } from '@geotrace/core-wasm/wire'
import { proposerTurn } from './proposer-order.ts'

/** Proposals in the order of their proposers, without those of an operator that is gone or proven a liar. */
export function standingProposals(
  proposals: readonly Proposal[],
  { predecessor, firstEpoch }: { predecessor: Predecessor; firstEpoch: number },
  newest: Roster | undefined,
  isConvicted: (key: Uint8Array) => boolean,
): Proposal[] {
  const mayPropose = (key: Uint8Array): boolean => !isConvicted(key) && !(newest !== undefined && isGone(newest, key))
  const turn = ({ operator }: Proposal): number => proposerTurn(predecessor, firstEpoch, operator)
  return proposals
    .filter(({ operator }) => mayPropose(predecessor.operators[operator]!.key))
    .sort((a, b) => turn(a) - turn(b))
}
