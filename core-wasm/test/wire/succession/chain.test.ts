import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  nextTestRoster,
  testManifest,
  testReveals,
  testSigner,
  testTrees,
} from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { bad, joining, SPONSORS } from './steps.ts'

const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
const trees = testTrees(manifest)
const first = foundRoster(manifest, trees)
const second = nextTestRoster(first)
const third = nextTestRoster(second)
/** Follows `first` as `second` does, for the period after that of `second`. */
const rival = nextTestRoster(first, { firstEpoch: second.roster.firstEpoch + 2 })
/** For the same period as `second`, so operators that voted for both voted twice. */
const twin = nextTestRoster(first, { trees: [[...trees[0]!.slice(0, -1), [new Uint8Array(32).fill(2)]]] })
const fork = (height: number) => expect.objectContaining({ code: 'ROSTER_FORKED', data: { height } })

const chainOf = (...rosters: wire.CertifiedRoster[]) => {
  const chain = wire.rosterChain(manifest)
  for (const roster of rosters) expect(chain.add(roster)).toBe(true)
  return chain
}

/** Runs a task that may fail with ROSTER_INVALID, but not with a fork. */
function tryTo(task: () => unknown): void {
  try {
    task()
  } catch (error) {
    expect(error).toMatchObject({ code: 'ROSTER_INVALID' })
  }
}

describe('a chain of rosters', () => {
  it('a chain begins with the founding roster and takes each next roster once', () => {
    const chain = wire.rosterChain(manifest)
    expect(chain.newest).toBeUndefined()
    expect(chain.predecessor.hash).toEqual(wire.manifestToId(manifest))
    for (const [height, roster] of [first, second, third].entries()) {
      expect(chain.add(roster)).toBe(true)
      expect(chain.add(roster)).toBe(false)
      expect(chain.newest).toBe(roster)
      expect(chain.predecessor.hash).toEqual(roster.hash)
      expect(chain.at(height)).toBe(roster)
      expect(chain.named(wire.hashToRosterName(roster.hash))).toBe(roster)
    }
    expect(chain.add(first)).toBe(false)
    expect(chain.recent).toEqual([first, second, third])
    expect(chain.at(3)).toBeUndefined()
    expect(chain.named(new Uint8Array(8))).toBeUndefined()
  })

  it('a chain treats the same roster with other votes as known', () => {
    const chain = chainOf(first, second)
    const [, ...rest] = second.votes
    const ballot = { ...second.roster, hash: second.hash }
    const office = wire.signVote(testSigner('operator/office'), 5, ballot)
    const other = { ...second, votes: [...rest, office] }
    expect(() => wire.assertCertified(wire.rosterToPredecessor(first), other)).not.toThrow()
    expect(chain.add(other)).toBe(false)
    expect(chain.checkStep(wire.certifiedToStep(other))).toEqual([])
  })

  it('a chain refuses a roster of a later height and a roster that follows another one', () => {
    const chain = wire.rosterChain(manifest)
    expect(() => chain.add(second)).toThrow(bad(/expected height 0 next, got 1/))
    chain.add(first)
    expect(() => chain.add(third)).toThrow(bad(/expected height 1 next, got 2/))
    chain.add(second)
    expect(() => chain.add(nextTestRoster(rival))).toThrow(bad(/another roster/))
    expect(chain.recent).toEqual([first, second])
    expect(chain.add(third)).toBe(true)
    expect(() => chain.add(nextTestRoster(twin))).toThrow(bad(/another roster/))
  })

  it('a chain refuses an uncertified roster, also at a known height, and goes on', () => {
    const chain = chainOf(first)
    expect(() => chain.add(nextTestRoster(first, { voters: 4 }))).toThrow(bad(/votes/))
    chain.add(second)
    expect(() => chain.add(nextTestRoster(first, { firstEpoch: rival.roster.firstEpoch, voters: 4 }))).toThrow(
      bad(/votes/),
    )
    expect(() => chain.add({ ...rival, sheetSignatures: second.sheetSignatures })).toThrow(
      bad(/signature of member \d+ fails/),
    )
    expect(chain.isForked).toBe(false)
    expect(chain.add(third)).toBe(true)
  })

  it('a chain stops permanently at a second certified roster of a period', () => {
    const chain = chainOf(first, second)
    expect(() => chain.add(twin)).toThrow(fork(1))
    expect(chain.isForked).toBe(true)
    expect(chain.recent).toEqual([first, second])
    for (const roster of [third, second, first, twin, rival, nextTestRoster(rival)]) {
      expect(() => chain.add(roster)).toThrow(fork(1))
    }
  })

  it('a chain keeps the later of two rosters that follow the same one, in either order of arrival', () => {
    for (const [one, other] of [
      [second, rival],
      [rival, second],
    ] as const) {
      const chain = chainOf(first, one)
      expect(chain.add(other)).toBe(other === rival)
      expect(chain.recent).toEqual([first, rival])
      expect(chain.named(wire.hashToRosterName(second.hash))).toBe(second)
      expect(chain.startingAt(second.roster.firstEpoch)).toBe(second)
      expect(chain.overtaken).toEqual([second])
      expect(chain.inForce(second.roster.firstEpoch)).toBe(first)
      for (const known of [first, second, rival]) expect(chain.add(known)).toBe(false)
      expect(chain.isForked).toBe(false)
      expect(chain.add(nextTestRoster(rival))).toBe(true)
    }
  })

  it('a chain returns to an overtaken branch when that branch goes on for a later period', () => {
    const fourth = nextTestRoster(second, { firstEpoch: rival.roster.firstEpoch + 2 })
    const chain = chainOf(first, second, rival)
    expect(chain.check(fourth)).toEqual([second, fourth])
    expect(chain.recent).toEqual([first, rival])
    expect(chain.add(fourth)).toBe(true)
    expect(chain.recent).toEqual([first, second, fourth])
    expect(chain.named(wire.hashToRosterName(second.hash))).toBe(second)
    // The same again: the latest branch stands.
    const fifth = nextTestRoster(rival, { firstEpoch: fourth.roster.firstEpoch + 2 })
    expect(chain.check(fifth)).toEqual([rival, fifth])
    expect(chain.add(fifth)).toBe(true)
    expect(chain.recent).toEqual([first, rival, fifth])
  })

  it('a chain sets aside only certified rosters', () => {
    const chain = chainOf(first, rival)
    expect(() => chain.add({ ...second, votes: second.votes.slice(0, 4) })).toThrow(bad(/votes/))
    expect(() => chain.add(nextTestRoster(second, { firstEpoch: rival.roster.firstEpoch + 2 }))).toThrow(bad(/another/))
  })

  it('a chain ends with the same rosters for every order of arrival', () => {
    const fourth = nextTestRoster(second, { firstEpoch: rival.roster.firstEpoch + 2 })
    const fifth = nextTestRoster(rival, { firstEpoch: fourth.roster.firstEpoch + 2 })
    fc.assert(
      fc.property(fc.shuffledSubarray([second, rival, fourth, fifth], { minLength: 4 }), (order) => {
        const chain = chainOf(first)
        // A peer asks again for rosters that it could not take.
        for (let round = 0; round < 4; round++) for (const roster of order) tryTo(() => chain.add(roster))
        expect(chain.recent).toEqual([first, rival, fifth])
      }),
    )
  })

  it('a chain stops at a fork of the founding roster and of an older roster', () => {
    const otherTrees = [[...trees[0]!.slice(0, -1), [new Uint8Array(32).fill(1)]]]
    const otherFirst = foundRoster(manifest, otherTrees)
    expect(() => chainOf(first, second, third).add(otherFirst)).toThrow(fork(0))
    expect(() => chainOf(first, second, third).add(twin)).toThrow(fork(1))
    // `rival` has the period of `third`.
    expect(() => chainOf(first, second, third).add(rival)).toThrow(fork(1))
  })

  it('a chain restores kept rosters in order without checking signatures again', () => {
    const unsigned = (roster: wire.CertifiedRoster) => ({ ...roster, votes: [], sheetSignatures: [[]] })
    const chain = wire.rosterChain(manifest)
    chain.restore(unsigned(first))
    expect(() => chain.restore(unsigned(first))).toThrow(bad(/height/))
    expect(() => chain.restore(unsigned({ ...rival, roster: { ...rival.roster, previous: rival.hash } }))).toThrow(
      bad(/another/),
    )
    chain.restore(unsigned(second))
    expect(chain.add(third)).toBe(true)
  })

  it('an empty chain restores from a later roster on, and goes on from there', () => {
    const chain = wire.rosterChain(manifest)
    chain.restore(second)
    expect(() => chain.restore(first)).toThrow(bad(/height/))
    expect([chain.at(0), chain.at(1), chain.nextHeight]).toEqual([undefined, second, 2])
    expect(chain.add(third)).toBe(true)
    expect(() => chain.add(first)).toThrow(bad(/another/))
    expect(() => chain.add(rival)).toThrow(bad(/another/))
    expect(chain.isForked).toBe(false)
  })

  it('a chain keeps the 64 newest rosters, and old rosters can neither enter nor stop it', () => {
    const chain = wire.rosterChain(manifest)
    const all = [first]
    while (all.length < wire.RECENT_MAX + 3) all.push(nextTestRoster(all.at(-1)!))
    for (const roster of all) expect(chain.add(roster)).toBe(true)
    expect(chain.recent).toEqual(all.slice(-wire.RECENT_MAX))
    expect(chain.nextHeight).toBe(all.length)
    expect([chain.at(2), chain.at(3)]).toEqual([undefined, all[3]])
    expect(chain.named(all[2]!.hash)).toBeUndefined()
    const otherFirst = foundRoster(manifest, [[...trees[0]!.slice(0, -1), [new Uint8Array(32).fill(1)]]])
    for (const old of [first, otherFirst, twin, rival]) expect(() => chain.add(old)).toThrow(bad(/another/))
    expect(chain.isForked).toBe(false)
  })

  it('a chain gives the roster in force for an epoch, as far as its sheets reach', () => {
    const chain = chainOf(first, second, third)
    const start = second.roster.firstEpoch
    expect(chain.inForce(first.roster.firstEpoch - 1)).toBeUndefined()
    expect(chain.inForce(first.roster.firstEpoch)).toBe(first)
    expect(chain.inForce(start - 1)).toBe(first)
    expect([start, start + 1].map((epoch) => chain.inForce(epoch))).toEqual([second, second])
    expect([start + 2, start + 3, start + 4].map((epoch) => chain.inForce(epoch))).toEqual([third, third, third])
    expect(chain.inForce(start + 5)).toBeUndefined()
  })

  it('the pinnable rosters of an epoch are the one in force, its predecessor and those that both overtook', () => {
    const start = second.roster.firstEpoch
    const pinnable = (chain: wire.RosterChain, epoch: number) => chain.pinnable(epoch)
    const plain = chainOf(first, second, third)
    expect(pinnable(plain, first.roster.firstEpoch - 1)).toEqual([])
    expect(pinnable(plain, start - 1)).toEqual([first])
    // The sheets of `first` reach one epoch beyond its period.
    expect(pinnable(plain, start)).toEqual([second, first])
    expect(pinnable(plain, start + 1)).toEqual([second])
    expect(pinnable(plain, start + 2)).toEqual([third, second])
    expect([first, second, third].map(plain.pinnableUntil)).toEqual([start + 1, start + 3, start + 5])
    // `second` came late: `rival` overtook it, so both `first` and `second` may be pinned for the epochs of `second`.
    const late = wire.rosterChain(manifest)
    for (const roster of [first, rival, second]) late.add(roster)
    expect(pinnable(late, start)).toEqual([first, second])
    expect(pinnable(late, start + 2)).toEqual([rival, second])
    expect(late.pinnableUntil(second)).toBe(start + 3)
  })

  it('a roster is pinnable until the roster after its follower begins', () => {
    const long = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 40 })
    const rosters = [foundRoster(long, testTrees(long))]
    const chain = wire.rosterChain(long)
    chain.add(rosters[0]!)
    for (let i = 0; i < 3; i++) {
      rosters.push(nextTestRoster(rosters.at(-1)!))
      chain.add(rosters.at(-1)!)
    }
    const [zero, one, two, three] = rosters as [
      wire.CertifiedRoster,
      wire.CertifiedRoster,
      wire.CertifiedRoster,
      wire.CertifiedRoster,
    ]
    const { firstEpoch } = zero.roster
    expect(chain.pinnableUntil(zero)).toBe(two.roster.firstEpoch)
    expect(chain.pinnableUntil(one)).toBe(three.roster.firstEpoch)
    expect(chain.pinnableUntil(two)).toBe(two.roster.firstEpoch + 42)
    for (let epoch = firstEpoch; epoch < three.roster.firstEpoch + 60; epoch++) {
      const pinned = chain.pinnable(epoch)
      for (const roster of rosters) {
        const isWithin = roster.roster.firstEpoch <= epoch && epoch < chain.pinnableUntil(roster)
        expect(pinned.includes(roster)).toBe(isWithin)
      }
    }
  })

  it('the roster in force at a peer that misses one roster is pinnable at a peer that has it', () => {
    const fourth = nextTestRoster(second, { firstEpoch: rival.roster.firstEpoch + 2 })
    const fifth = nextTestRoster(rival, { firstEpoch: fourth.roster.firstEpoch + 2 })
    const many = [second, rival, fourth, fifth]
    const { firstEpoch } = first.roster
    const full = (rosters: readonly wire.CertifiedRoster[]) => {
      const chain = chainOf(first)
      for (let round = 0; round < 4; round++) for (const roster of rosters) tryTo(() => chain.add(roster))
      return chain
    }
    fc.assert(
      fc.property(fc.shuffledSubarray(many, { minLength: 1 }), fc.nat(), (order, at) => {
        const node = full(order)
        const central = full(order.filter((_, i) => i !== at % order.length))
        for (let epoch = firstEpoch; epoch < firstEpoch + 14; epoch++) {
          const inForce = central.inForce(epoch)
          if (inForce !== undefined && node.inForce(epoch) !== undefined) {
            expect(node.pinnable(epoch).map(({ hash }) => hash)).toContainEqual(inForce.hash)
          }
        }
      }),
    )
  })

  it('a chain counts the votes of an operator only after the roster that lists it', () => {
    const roles = ['operator/gum', 'peer/gum', ...SPONSORS].map(testSigner)
    const joins = roles.reduce(wire.signChange, wire.newChange(wire.manifestToId(manifest), joining('gum')))
    const admitting = nextTestRoster(first, { changes: [wire.encodeChange(joins)] })
    const ranked = nextTestRoster(admitting, { reveals: testReveals(admitting, 6) })
    const holding = nextTestRoster(ranked)
    const gum = (at: wire.CertifiedRoster) =>
      wire.signVote(testSigner('operator/gum'), 6, { ...at.roster, hash: at.hash })
    const voted = { ...ranked, votes: [...ranked.votes.slice(1), gum(ranked)] }
    chainOf(first, admitting, voted, holding)
    expect(holding.roster.members).toHaveLength(6)
    const early = { ...admitting, votes: [...admitting.votes.slice(1), gum(admitting)] }
    expect(() => chainOf(first).add(early)).toThrow(bad(/stranger/))
  })
})
