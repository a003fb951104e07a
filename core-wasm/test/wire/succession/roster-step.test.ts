import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  nextTestRoster,
  testChange,
  testManifest,
  testReveals,
  testTrees,
} from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'
import { bad, joining, key, SPONSORS, UNTIL } from './steps.ts'

const manifest = testManifest({ shards: 3, periodEpochs: 2, reserveEpochs: 1 })
const federation = wire.manifestToId(manifest)
const first = foundRoster(manifest, testTrees(manifest))
const admitting = nextTestRoster(first, {
  changes: [
    testChange(federation, joining('gum'), ['operator/gum', 'peer/gum', ...SPONSORS]),
    testChange(federation, { kind: 'leave', until: UNTIL, key: key('peer/ash') }, ['peer/ash']),
  ],
})
const ranked = nextTestRoster(admitting, { reveals: testReveals(admitting, 6), vacant: [1] })
const rosters = [first, admitting, ranked, nextTestRoster(ranked)]
const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })

/** The step that a device receives. */
const told = (certified: wire.CertifiedRoster): wire.RosterStep =>
  wire.decodeRosterStep(wire.encodeRosterStep(wire.certifiedToStep(certified)))
const follow = (chain: wire.RosterChain, step: wire.RosterStep): number => {
  const path = chain.checkStep(step)
  chain.take(path)
  return path.length
}
const chainOf = (...some: wire.CertifiedRoster[]): wire.RosterChain => {
  const chain = wire.rosterChain(manifest)
  for (const certified of some) expect(follow(chain, told(certified))).toBe(1)
  return chain
}

describe('a step', () => {
  it('a step decodes from its bytes unchanged and is smaller than the certificate', () => {
    for (const certified of rosters) {
      const bytes = wire.encodeRosterStep(wire.certifiedToStep(certified))
      expect(wire.encodeRosterStep(wire.decodeRosterStep(bytes))).toEqual(bytes)
      expect(bytes.length).toBeLessThan(wire.encodeCertifiedRoster(certified).length / 2)
      const { height, previous, firstEpoch, sheets, changes, commitments, reveals } = certified.roster
      const { votes } = certified
      expect(told(certified)).toEqual({
        ...{ height, previous, firstEpoch, sheets, changes, commitments, reveals, votes },
      })
    }
    expect(told({ ...first, votes: [...first.votes].reverse() })).toEqual(told(first))
  })

  it('a step makes the certified roster byte for byte, with joins, departures, ranks and vacant shards', () => {
    const chain = chainOf(...rosters)
    for (const [height, { roster, hash, body, votes }] of rosters.entries()) {
      expect(chain.at(height)).toEqual({ roster, hash, body, votes, sheetSignatures: [] })
      expect(follow(chain, told(rosters[height]!))).toBe(0)
    }
    expect(ranked.roster.newcomers).toHaveLength(1)
    expect(wire.isVacant(chain.at(2)!.roster, 1)).toBe(true)
    // A device can decode the roster that it kept.
    const kept = wire.decodeCertifiedRoster(wire.encodeCertifiedRoster(chain.at(1)!))
    expect(kept).toEqual(chain.at(1))
  })

  it('a device refuses a step without exactly a quorum of votes for that roster', () => {
    const chain = chainOf(first)
    const step = told(admitting)
    const refuse = (other: Partial<wire.RosterStep>, reason: RegExp) =>
      expect(() => chain.checkStep({ ...step, ...other }), `${reason}`).toThrow(bad(reason))
    refuse({ votes: step.votes.slice(1) }, /4 votes/)
    refuse({ votes: [...step.votes, { ...step.votes[0]!, operator: 5 }] }, /6 votes/)
    refuse({ votes: [...step.votes.slice(1), step.votes[1]!] }, /4 of the 5 votes/)
    refuse({ votes: told(first).votes }, /bad signature/)
    refuse({ votes: step.votes.map((vote) => ({ ...vote, operator: vote.operator + 1 })) }, /bad signature/)
    // The votes cover each part of the step.
    const root = new Uint8Array(32).fill(9)
    refuse({ sheets: [root, ...step.sheets.slice(1)] }, /bad signature/)
    refuse({ firstEpoch: step.firstEpoch + 2 }, /bad signature/)
    refuse({ changes: step.changes.slice(1) }, /bad signature/)
    refuse({ changes: [...step.changes].reverse() }, /order/)
    refuse({ sheets: step.sheets.slice(1) }, /2 sheets for 3 shards/)
    refuse({ firstEpoch: step.firstEpoch + 1 }, /period/)
    refuse({ commitments: [] }, /bad signature/)
    refuse({ commitments: [null, ...step.commitments.slice(1)] }, /bad signature/)
    refuse({ reveals: testReveals(admitting, 5) }, /out of place/)
    refuse({ height: 2 }, /expected height 1 next/)
    refuse({ previous: admitting.hash }, /another roster/)
    expect(chain.isForked).toBe(false)
    expect(follow(chain, step)).toBe(1)
  })

  it('a step to the founding roster must equal the manifest', () => {
    const chain = wire.rosterChain(manifest)
    const step = told(first)
    const refuse = (other: Partial<wire.RosterStep>, reason: RegExp) =>
      expect(() => chain.checkStep({ ...step, ...other }), `${reason}`).toThrow(bad(reason))
    refuse({ previous: first.hash }, /another roster/)
    refuse({ firstEpoch: step.firstEpoch + 1 }, /another epoch/)
    refuse({ changes: admitting.roster.changes }, /changes nothing/)
    refuse({ reveals: testReveals(admitting) }, /changes nothing/)
    refuse({ commitments: admitting.roster.commitments }, /changes nothing/)
    refuse({ sheets: [] }, /0 sheets/)
    expect(() => wire.rosterChain(testManifest()).checkStep(step)).toThrow(bad(/./))
    expect(follow(chain, step)).toBe(1)
  })

  it('a step to a second roster of one period stops a device, and a step to a later period overtakes', () => {
    const twin = nextTestRoster(first, { vacant: [0] })
    const chain = chainOf(first, admitting)
    const forked = expect.objectContaining({ code: 'ROSTER_FORKED', data: { height: 1 } })
    expect(() => chain.checkStep(told(twin))).toThrow(forked)
    expect(() => chain.checkStep(told(ranked))).toThrow(forked)
    const rival = nextTestRoster(first, { firstEpoch: admitting.roster.firstEpoch + 2 })
    const other = chainOf(first, admitting)
    expect(follow(other, told(rival))).toBe(1)
    expect(other.recent.map(({ hash }) => hash)).toEqual([first.hash, rival.hash])
    // A roster that was set aside comes back together with its followers.
    const late = nextTestRoster(admitting, { firstEpoch: rival.roster.firstEpoch + 2 })
    expect(follow(other, told(late))).toBe(2)
    expect(other.recent.map(({ hash }) => hash)).toEqual([first.hash, admitting.hash, late.hash])
  })
})

describe('the bytes of a step', () => {
  const bytes = wire.encodeRosterStep(wire.certifiedToStep(ranked))
  const refuse = (step: Partial<wire.RosterStep>) =>
    expect(() => wire.decodeRosterStep(wire.encodeRosterStep({ ...told(ranked), ...step }))).toThrow(malformed)

  it('a step that is cut, too long or garbled is refused', () => {
    refusesCutAndLong(bytes, wire.decodeRosterStep)
    neverThrowsAnythingElse(bytes, wire.decodeRosterStep)
    const large = new Uint8Array(wire.ROSTER_MAX_BYTES + 1)
    expect(() => wire.decodeRosterStep(large)).toThrow(malformed)
  })

  it('a step says with 0 or 1 whether an operator gave a nonce, and with no other number', () => {
    const at = bytes.length - 2 - ranked.votes.length * 66 - ranked.roster.reveals.length * 33
    expect(bytes.slice(at, at + 1)).toEqual(Uint8Array.of(1))
    expect(() => wire.decodeRosterStep(bytes.with(at, 2))).toThrow(malformed)
  })

  it('a step lists operators in order, each once, and no list exceeds its bound', () => {
    const { votes } = told(ranked)
    refuse({ votes: [...votes].reverse() })
    refuse({ votes: [...votes, votes.at(-1)!] })
    const many = Array.from({ length: wire.OPERATORS_MAX + 1 }, (_, operator) => ({ ...votes[0]!, operator }))
    refuse({ votes: many })
    expect(told({ ...ranked, votes: many.slice(1) }).votes).toHaveLength(wire.OPERATORS_MAX)
    refuse({ reveals: many.map(() => null) })
    refuse({ commitments: many.map(() => null) })
    const none = { ...ranked.roster, reveals: many.slice(1).map(() => null) }
    expect(told({ ...ranked, roster: none }).reveals).toHaveLength(wire.OPERATORS_MAX)
    refuse({ sheets: Array.from({ length: wire.SHARDS_MAX + 1 }, () => new Uint8Array(32)) })
    refuse({ changes: Array.from({ length: wire.CHANGES_PER_ROSTER_MAX + 1 }, () => new Uint8Array(1)) })
    refuse({ changes: [new Uint8Array(wire.CHANGE_MAX_BYTES + 1)] })
    const most = { ...ranked.roster, sheets: Array.from({ length: wire.SHARDS_MAX }, () => new Uint8Array(32)) }
    expect(told({ ...ranked, roster: most }).sheets).toHaveLength(wire.SHARDS_MAX)
  })
})
