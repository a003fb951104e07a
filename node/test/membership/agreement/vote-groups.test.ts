import { type CertifiedRoster, type GossipVote, quorum, signVote } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { groupVotes, votesForCertificate } from '../../../src/membership/agreement/vote-groups.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { follow, founded, NAMES, operatorSigner } from '../chain.ts'

const { first } = founded({ shards: 2, periodEpochs: 6, reserveEpochs: 2 })
const next = follow(first)
const { firstEpoch, height, federation } = next.roster
const need = quorum(NAMES.length)

const vote = (operator: number, { at = firstEpoch, hash = next.hash } = {}): GossipVote => ({
  ...{ kind: 'vote', height, firstEpoch: at, hash },
  ...signVote(operatorSigner(NAMES[operator]!), operator, { federation, height, firstEpoch: at, hash }),
})
const certificateVotes = (votes: readonly GossipVote[], proposal: CertifiedRoster = next) =>
  votesForCertificate(proposal, first.roster.operators, votes, need)?.map(({ operator }) => operator)

describe('groups of votes', () => {
  it('a vote for the same hash under another period lands in a group of its own, whichever operator gives it', () => {
    for (const bad of NAMES.keys()) {
      const votes = [...NAMES.keys()].map((i) => (i === bad ? vote(i, { at: firstEpoch + 6 }) : vote(i)))
      const [most, other] = groupVotes(votes)
      expect(most!.firstEpoch).toBe(firstEpoch)
      expect(most!.votes.map(({ operator }) => operator)).toEqual([...NAMES.keys()].filter((i) => i !== bad))
      expect(other).toMatchObject({ firstEpoch: firstEpoch + 6, votes: [{ operator: bad }] })
      expect(certificateVotes(most!.votes)).toHaveLength(need)
      expect(certificateVotes(other!.votes)).toBeUndefined()
    }
  })

  it('an operator that votes twice for one roster counts once', () => {
    const votes = [0, 1, 2, 3, 3, 3].map((operator) => vote(operator))
    const [group, ...rest] = groupVotes(votes)
    expect(rest).toEqual([])
    expect(group!.votes.map(({ operator }) => operator)).toEqual([0, 1, 2, 3])
    expect(certificateVotes(group!.votes)).toBeUndefined()
  })

  it('the group with the most votes comes first, and the votes ascend by operator', () => {
    const hash = systemRandom(32)
    const groups = groupVotes([vote(5, { hash }), vote(4), vote(1), vote(2), vote(0, { hash }), vote(3)])
    expect(groups.map(({ votes }) => votes.map(({ operator }) => operator))).toEqual([
      [1, 2, 3, 4],
      [0, 5],
    ])
  })
})

describe('the votes of a certificate', () => {
  it('a certificate takes the first votes of a quorum and leaves out votes that fail', () => {
    const votes = [...NAMES.keys()].map((i) => vote(i))
    expect(certificateVotes(votes)).toEqual([0, 1, 2, 3, 4])
    const spoiled = { ...votes[2]!, signature: votes[3]!.signature }
    expect(certificateVotes(votes.with(2, spoiled))).toEqual([0, 1, 3, 4, 5])
    expect(certificateVotes(votes.with(2, { ...votes[2]!, operator: 6 }))).toEqual([0, 1, 3, 4, 5])
    expect(certificateVotes(votes.with(2, spoiled).slice(0, 5))).toBeUndefined()
  })
})
