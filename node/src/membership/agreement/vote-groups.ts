/**
 * Sorts votes into the groups that can make a certificate. PROTOCOL.md §4.6, §4.7. Pure.
 * A valid vote under another period must not enter a certificate, because the certificate would then be refused.
 */
import { bytesToHex, type CertifiedRoster, type GossipVote, isValidVote, type Vote } from '@geotrace/core-wasm/wire'

/** Votes for one roster of one period, ascending by operator, each operator once. */
export interface VoteGroup {
  readonly firstEpoch: number
  readonly hash: Uint8Array
  readonly votes: readonly GossipVote[]
}

/** The groups of votes for one period and one hash, the group with the most votes first. */
export function groupVotes(votes: readonly GossipVote[]): VoteGroup[] {
  const groups = new Map<string, { firstEpoch: number; hash: Uint8Array; byOperator: Map<number, GossipVote> }>()
  for (const vote of votes) {
    const { firstEpoch, hash, operator } = vote
    const name = `${firstEpoch} ${bytesToHex(hash)}`
    const group = groups.get(name) ?? { firstEpoch, hash, byOperator: new Map<number, GossipVote>() }
    groups.set(name, group)
    if (!group.byOperator.has(operator)) group.byOperator.set(operator, vote)
  }
  return [...groups.values()]
    .map(({ byOperator, ...head }) => ({
      ...head,
      votes: [...byOperator.values()].sort((a, b) => a.operator - b.operator),
    }))
    .sort((a, b) => b.votes.length - a.votes.length)
}

/**
 * The first `need` votes of a group that hold for this proposal, in the form of a certificate; undefined when there are
 * fewer. A vote of a stranger or with a bad signature is left out.
 */
export function votesForCertificate(
  { roster, hash }: CertifiedRoster,
  operators: readonly { key: Uint8Array }[],
  votes: readonly Vote[],
  need: number,
): Vote[] | undefined {
  const sound = votes.filter((vote) => {
    const key = operators[vote.operator]?.key
    return key !== undefined && isValidVote({ ...roster, hash }, key, vote)
  })
  if (sound.length < need) return undefined
  return sound.slice(0, need).map(({ operator, signature }) => ({ operator, signature }))
}
