import {
  EPOCH_MS,
  type GossipVote,
  MINUTE_MS,
  manifestToRoster,
  newChange,
  type SignedChange,
  sheetContent,
  sheetEpochs,
  signChange,
  signContent,
  signHandover,
  signPresence,
  signProposal,
  signVote,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import {
  changeFate,
  handoverFate,
  hasStanding,
  isOpen,
  isSettled,
  type Known,
  presenceFate,
  proposalFate,
  sheetsFate,
  voteFate,
} from '../../../src/membership/agreement/fates.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { FOUNDED, founded, operatorSigner, peerSigner } from '../chain.ts'

const federation = founded()
const founding = manifestToRoster(federation.manifest)
const { roster: certified, hash } = federation.first
const isPeer = (key: Uint8Array): boolean => certified.members.some((member) => `${member.key}` === `${key}`)
const known: Known = {
  ...{ founding, certified, isPeer, nextHeight: 1, nowMs: FOUNDED },
  predecessor: { hash, operators: certified.operators },
}
const NEXT = (Math.floor(certified.firstEpoch / certified.periodEpochs) + 1) * certified.periodEpochs
const LATER = 5 * certified.periodEpochs * EPOCH_MS
const STRANGER = peerSigner('gum')
const [ONE, TWO] = [systemRandom(32), systemRandom(32)]
const ash = { operator: certified.operators.findIndex(({ name }) => name === 'ash'), signer: operatorSigner('ash') }
const wasSpoiled = <T extends { signature: Uint8Array }>(message: T): T => ({
  ...message,
  signature: message.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
})
const kept = <T>(message: T) => ({ keep: message, proofs: [] })

describe('the fate of presences and handovers', () => {
  const presence = (time: number, signer = peerSigner('ash')) =>
    signPresence(signer, { time, height: 0, roster: systemRandom(8), release: new Uint8Array(8), addresses: [] })

  it('a presence is kept when a peer signed it within ten minutes of our clock, and it is newer than the last one', () => {
    const now = presence(FOUNDED)
    expect(presenceFate(known, undefined, now)).toEqual(kept(now))
    expect(presenceFate(known, now, now)).toBe('ignore')
    for (const skew of [-1, 1]) {
      const edge = presence(FOUNDED + skew * 10 * MINUTE_MS)
      expect(presenceFate(known, undefined, edge)).toEqual(kept(edge))
      expect(presenceFate(known, undefined, presence(edge.time + skew))).toBe('ignore')
    }
    expect(presenceFate(known, undefined, presence(FOUNDED, STRANGER))).toBe('ignore')
    expect(presenceFate(known, undefined, wasSpoiled(now))).toBe('reject')
  })

  it('a handover is kept when both are peers and the giver signed it', () => {
    const [giver, taker] = [peerSigner('ash'), peerSigner('birch').key]
    const message = signHandover(giver, { taker, shard: 0, firstEpoch: NEXT, time: FOUNDED })
    expect(handoverFate(known, undefined, message)).toEqual(kept(message))
    expect(handoverFate(known, message, message)).toBe('ignore')
    expect(handoverFate({ ...known, nowMs: FOUNDED + LATER }, undefined, message)).toBe('ignore')
    expect(handoverFate(known, undefined, { ...message, shard: 1 })).toBe('reject')
    const toStranger = signHandover(giver, { ...message, taker: STRANGER.key })
    expect(handoverFate(known, undefined, toStranger)).toBe('ignore')
  })
})

describe('the fate of statements about the next roster', () => {
  const vote = (rosterHash: Uint8Array, firstEpoch = NEXT, height = 1): GossipVote => {
    const ballot = { height, firstEpoch, hash: rosterHash }
    const signed = signVote(ash.signer, ash.operator, { federation: founding.federation, ...ballot })
    return { kind: 'vote', ...ballot, ...signed }
  }
  const proposal = (rosterHash: Uint8Array) =>
    signProposal(ash.signer, founding.federation, {
      ...{ height: 1, firstEpoch: NEXT, hash: rosterHash, holder: peerSigner('ash').key, operator: ash.operator },
    })

  it('one vote of an operator is kept for a period, and another one is a proof against the operator', () => {
    const first = vote(ONE)
    expect(voteFate(known, undefined, first)).toEqual(kept(first))
    expect(voteFate(known, first, first)).toBe('ignore')
    expect(voteFate(known, first, vote(TWO))).toMatchObject({ proofs: [{ kind: 'votes', key: ash.signer.key }] })
    expect(voteFate(known, first, wasSpoiled(vote(TWO)))).toBe('reject')
    expect(voteFate(known, undefined, vote(ONE, NEXT, 2))).toBe('ignore')
    expect(voteFate(known, undefined, vote(ONE, NEXT + 1))).toBe('ignore')
    expect(voteFate({ ...known, nowMs: FOUNDED + LATER }, undefined, first)).toBe('ignore')
  })

  it('one proposal of an operator is kept for a period, and another one is a proof against the operator', () => {
    const first = proposal(ONE)
    expect(proposalFate(known, undefined, first)).toEqual(kept(first))
    expect(proposalFate(known, first, first)).toBe('ignore')
    expect(proposalFate(known, first, proposal(TWO))).toMatchObject({ proofs: [{ kind: 'proposals' }] })
    expect(proposalFate(known, undefined, { ...first, operator: 99 })).toBe('ignore')
  })

  it('the sheets of a member gather shard by shard, and another root for a shard is a proof against the member', () => {
    const member = peerSigner('ash')
    const sheets = (...roots: [shard: number, root: Uint8Array][]) => ({
      ...{ kind: 'sheets' as const, key: member.key, previous: hash, firstEpoch: NEXT },
      sheets: roots.map(([shard, root]) => {
        const head = { federation: founding.federation, previous: hash, firstEpoch: NEXT, shard, root }
        const content = sheetContent({ ...head, epochs: sheetEpochs(founding) })
        return { shard, root, signature: signContent(member, 'geotrace/sheet', content) }
      }),
    })
    const [first, second] = [sheets([0, ONE]), sheets([1, TWO])]
    expect(sheetsFate(known, [], first)).toEqual(kept(first))
    expect(sheetsFate(known, first.sheets, first)).toBe('ignore')
    expect(sheetsFate(known, first.sheets, second)).toEqual(
      kept({ ...second, sheets: [...first.sheets, ...second.sheets] }),
    )
    const contradiction = sheetsFate(known, first.sheets, sheets([0, TWO]))
    expect(contradiction).toMatchObject({ proofs: [{ kind: 'sheets', key: member.key }] })
    expect(contradiction).not.toHaveProperty('keep')
    // A peer with another newest roster, a stranger, and a shard that does not exist are no fault.
    expect(sheetsFate(known, [], { ...first, previous: systemRandom(32) })).toBe('ignore')
    expect(sheetsFate(known, [], { ...first, key: STRANGER.key })).toBe('ignore')
    expect(sheetsFate(known, [], sheets([certified.plan.shards, ONE]))).toBe('ignore')
    expect(sheetsFate(known, [], { ...first, sheets: first.sheets.map(wasSpoiled) })).toBe('reject')
  })

  it('before the founding roster is certified only its own period is open', () => {
    const young = { ...known, certified: undefined }
    expect(isOpen(young, founding.firstEpoch)).toBe(true)
    expect(isOpen(young, NEXT)).toBe(false)
    expect(isOpen(known, NEXT)).toBe(true)
    expect(isOpen(known, founding.firstEpoch)).toBe(false)
  })
})

describe('the fate of changes', () => {
  const leave = (until = NEXT + 36): SignedChange =>
    newChange(founding.federation, { kind: 'leave', until, key: peerSigner('ash').key })
  const own = signChange(leave(), peerSigner('ash'))
  const free = () => true

  it('a change is kept when somebody with standing signed it and has room', () => {
    expect(changeFate(known, undefined, own, free)).toEqual(kept(own))
    expect(changeFate(known, undefined, own, () => false)).toBe('ignore')
    expect(changeFate(known, undefined, leave(), free)).toBe('ignore')
    expect(changeFate(known, undefined, { ...own, federation: systemRandom(32) }, free)).toBe('reject')
    expect(isSettled(certified, leave(certified.firstEpoch))).toBe(true)
    expect(changeFate(known, undefined, leave(certified.firstEpoch), free)).toBe('ignore')
  })

  it('a change gathers signatures, even when its signer has no room, and drops those of strangers', () => {
    const more = [operatorSigner('birch'), STRANGER].reduce(signChange, own)
    const fate = changeFate(known, own, more, () => false)
    expect(fate).toMatchObject({ keep: { signatures: { length: 2 } } })
    expect(changeFate(known, own, signChange(own, STRANGER), free)).toBe('ignore')
    const forged = { ...own, signatures: own.signatures.map(wasSpoiled) }
    expect(() => changeFate(known, undefined, forged, free)).toThrow(
      expect.objectContaining({ code: 'CHANGE_INVALID' }),
    )
  })

  it('peers and operators have standing, strangers have none', () => {
    expect(hasStanding(known, peerSigner('ash').key)).toBe(true)
    expect(hasStanding(known, ash.signer.key)).toBe(true)
    expect(hasStanding(known, STRANGER.key)).toBe(false)
  })
})
