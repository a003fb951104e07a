/** Ranks that neither founder, proposer nor newcomer chooses. PROTOCOL.md §4.2, §4.5, §4.9. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  nextTestRoster,
  TEST_OPERATORS,
  testManifest,
  testNonce,
  testNonceCommitments,
  testReveals,
  testSigner,
  testTrees,
} from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import {
  bad,
  founding,
  join,
  joining,
  key,
  leave,
  nodesOf,
  rotate,
  SPONSORS,
  step,
  UNTIL,
} from '../succession/steps.ts'

/** The rules of PROTOCOL.md in the hash function of Node. */
const hash = (...parts: (string | Uint8Array)[]): Uint8Array => {
  const sha = createHash('sha256')
  for (const part of parts) sha.update(part)
  return new Uint8Array(sha.digest())
}
const random = (i: number): Uint8Array => hash(`try ${i}`)
const NODES = [...TEST_OPERATORS, 'gum', 'gum2', 'hazel', 'ash2']
const names = (peers: readonly wire.RosterPeer[]) => nodesOf(peers, NODES)
const rankOf = ({ roster }: wire.CertifiedRoster, name: string) =>
  roster.operators.find((operator) => operator.name === name)?.rank

describe('ranks at founding', () => {
  const manifest = testManifest()
  const nonces = manifest.openings.map(wire.hexToBytes)

  it('the rank of an operator is the hash of its key and the nonces of all cards', () => {
    for (const { key: own, rank } of wire.manifestToRoster(manifest).operators) {
      expect(rank).toEqual(hash('geotrace/rank', own, ...nonces))
    }
  })

  it('a founder that sees all nonces can no longer change a rank: 10,000 other nonces break its commitment', () => {
    const { openings, ...frozen } = manifest
    const [own] = frozen.members
    // The rule before: H(nonce ‖ key), and the founder chose the nonce. It gave three chosen nodes a chosen shard.
    const holders = (nonce: Uint8Array): string => {
      const draw = (name: string) => hash(hash(nonce, key(`peer/${name}`)), Uint8Array.of(0, 0))
      return [...TEST_OPERATORS]
        .sort((a, b) => Buffer.compare(draw(a), draw(b)))
        .slice(0, 3)
        .sort()
        .join(' ')
    }
    const tries = Array.from({ length: 10_000 }, (_, i) => random(i))
    const chosen = tries.slice(0, 400).filter((nonce) => holders(nonce) === 'ash birch cedar')
    expect(chosen.length).toBeGreaterThan(10)
    const opening = tries.filter((nonce) => wire.bytesToHex(wire.nonceToCommitment(nonce)) === own!.commitment)
    expect(opening).toEqual([])
    for (const nonce of [...chosen.slice(0, 10), new Uint8Array(32)]) {
      expect(() => wire.completeManifest(frozen, [nonce, ...nonces.slice(1)])).toThrow(/nonce of the card of ash/)
    }
    // The order of the openings is that of the cards, so nothing is left to choose.
    expect(() => wire.completeManifest(frozen, [...nonces].reverse())).toThrow(/nonce of the card/)
    expect(wire.completeManifest(frozen, nonces)).toEqual(manifest)
  })

  it('each nonce changes all ranks, so one honest member is enough to make them unpredictable', () => {
    const ranks = (list: readonly Uint8Array[]) =>
      manifest.operators.map((operator) => wire.bytesToHex(wire.drawRank(wire.hexToBytes(operator.key), list)))
    for (const i of nonces.keys()) {
      const other = ranks(nonces.map((nonce, j) => (i === j ? random(i) : nonce)))
      for (const [at, rank] of ranks(nonces).entries()) expect(other[at]).not.toBe(rank)
    }
  })
})

describe('ranks of new operators', () => {
  const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 0 })
  const first = foundRoster(manifest, testTrees(manifest))
  const id = wire.manifestToId(manifest)
  const change = (value: wire.Change, roles: readonly string[]) =>
    wire.encodeChange(roles.map(testSigner).reduce(wire.signChange, wire.newChange(id, value)))
  const joinsHere = (name: string) => change(joining(name), [`operator/${name}`, `peer/${name}`, ...SPONSORS])
  const leaves = (role: string) => change({ kind: 'leave', until: UNTIL, key: key(role) }, [role])
  const changes = [joinsHere('gum'), joinsHere('hazel')]
  const admitting = nextTestRoster(first, { changes })
  const reveals = testReveals(admitting)
  const draw = (chosen: wire.Roster['reveals']) => () => nextTestRoster(admitting, { reveals: chosen })
  const without = <T>(list: readonly (T | null)[], ...indices: number[]) =>
    list.map((item, i) => (indices.includes(i) ? null : item))

  it('the rank of a new operator is the hash of its key and the opened nonces, in the order of the operators', () => {
    expect(rankOf(admitting, 'gum')).toBeNull()
    for (const withheld of [[], [0], [3]]) {
      const next = draw(without(reveals, ...withheld))()
      const opened = without(reveals, ...withheld).filter((nonce) => nonce !== null)
      for (const name of ['gum', 'hazel']) {
        expect(rankOf(next, name)).toEqual(hash('geotrace/rank', key(`operator/${name}`), ...opened))
      }
      expect(names(next.roster.newcomers)).toEqual(names(admitting.roster.admitted))
      expect(next.roster.admitted).toEqual([])
      expect(rankOf(next, 'ash')).toEqual(rankOf(first, 'ash'))
      const holding = nextTestRoster(next)
      expect(names(holding.roster.members)).toEqual([...TEST_OPERATORS, ...names(admitting.roster.admitted)])
      expect(holding.roster.operators).toEqual(next.roster.operators)
    }
  })

  it('a new operator waits for its rank while fewer than a quorum open their nonces', () => {
    expect(draw(without(reveals, 0, 1))).toThrow(bad(/nonces of a quorum of 5 operators, got 4/))
    const waiting = nextTestRoster(admitting)
    expect(waiting.roster.admitted).toEqual(admitting.roster.admitted)
    expect(waiting.roster.newcomers).toEqual([])
    // The next operators to commit include the two new ones, and the old nonces open nothing any more.
    expect(waiting.roster.commitments).toHaveLength(8)
    expect(() => nextTestRoster(waiting, { reveals })).toThrow(bad(/reveals out of place/))
    expect(() => nextTestRoster(waiting, { reveals: [...reveals, null, null] })).toThrow(bad(/another nonce/))
    const late = nextTestRoster(waiting, { reveals: testReveals(waiting) })
    expect(names(late.roster.newcomers)).toEqual(names(admitting.roster.admitted))
  })

  it('an operator that saw the nonces of others can open only the nonce to which it committed', () => {
    for (let i = 0; i < 100; i++) expect(draw([random(i), ...reveals.slice(1)]), `${i}`).toThrow(bad(/another nonce/))
    expect(draw([testNonce('ash', 2), ...reveals.slice(1)])).toThrow(bad(/another nonce/))
    expect(draw([reveals[1]!, reveals[0]!, ...reveals.slice(2)])).toThrow(bad(/another nonce/))
    // An operator that did not commit before cannot join in once it sees the nonces.
    const silent = nextTestRoster(first, { changes, commitments: without(testNonceCommitments(first), 0) })
    const others = testReveals(silent)
    expect(others[0]).toBeNull()
    expect(() => nextTestRoster(silent, { reveals: others })).not.toThrow()
    expect(() => nextTestRoster(silent, { reveals: [testNonce('ash', 1), ...others.slice(1)] })).toThrow(bad(/another/))
    // Neither can the operators that the roster admits: their commitments would come too late.
    expect(draw([...reveals, random(1)])).toThrow(bad(/out of place/))
  })

  it('the proposer of an admission cannot make up, swap or shorten the commitments', () => {
    const all = testNonceCommitments(first)
    const admit = (commitments: wire.Roster['commitments']) => () => nextTestRoster(first, { changes, commitments })
    expect(admit(without(all, 2))).not.toThrow()
    expect(admit(without(all, 2, 4))).toThrow(bad(/commitments of a quorum of 5 operators, got 4/))
    expect(admit(all.slice(1))).toThrow(bad(/commitments out of place/))
    expect(admit([all[1]!, all[0]!, ...all.slice(2)])).toThrow(bad(/operator 0 has a bad signature/))
    const own = wire.signCommitment(testSigner('operator/ash'), id, first.hash, random(1))
    expect(admit([{ ...all[0]!, commitment: own.commitment }, ...all.slice(1)])).toThrow(bad(/bad signature/))
    // A commitment for another roster before, such as one whose nonce is opened already.
    expect(admit([...testNonceCommitments(admitting).slice(0, 1), ...all.slice(1)])).toThrow(bad(/bad signature/))
    expect(() => nextTestRoster(first, { commitments: all })).toThrow(bad(/commitments out of place/))
    // Without commitments the roster admits, and the rank comes one roster later.
    const later = nextTestRoster(first, { changes, commitments: [] })
    expect(() => nextTestRoster(later, { reveals })).toThrow(bad(/reveals out of place/))
    expect(nextTestRoster(later).roster.commitments).toHaveLength(8)
  })

  it('a newcomer that chooses its key after the nonces opened is ranked by nonces that are still closed', () => {
    const opened = reveals.filter((nonce) => nonce !== null)
    const foreseen = hash('geotrace/rank', key('operator/elder'), ...opened)
    const ranking = nextTestRoster(admitting, { reveals, changes: [joinsHere('elder')] })
    expect(rankOf(ranking, 'elder')).toBeNull()
    expect(names(ranking.roster.newcomers)).toEqual(names(admitting.roster.admitted))
    const later = nextTestRoster(ranking, { reveals: testReveals(ranking) })
    expect(rankOf(later, 'elder')).not.toBeNull()
    expect(rankOf(later, 'elder')).not.toEqual(foreseen)
    // A new key of the operator in the roster that ranks it comes after its rank.
    const roles = ['operator/gum', 'operator/gum#1']
    const rotates = change({ kind: 'rotate', until: UNTIL, from: key(roles[0]!), to: key(roles[1]!) }, roles)
    const rotated = nextTestRoster(admitting, { reveals, changes: [rotates] })
    expect(rankOf(rotated, 'gum')).toEqual(hash('geotrace/rank', key('operator/gum'), ...opened))
  })

  it('a node that leaves before its operator has a rank is no newcomer', () => {
    const next = nextTestRoster(admitting, { reveals, changes: [leaves('peer/gum')] })
    expect(names(next.roster.newcomers)).toEqual(['hazel'])
    expect(wire.isGone(next.roster, key('peer/gum'))).toBe(true)
    expect(names(nextTestRoster(admitting, { changes: [leaves('peer/gum')] }).roster.admitted)).toEqual(['hazel'])
  })
})

describe('the rank of an operator with several nodes', () => {
  const held = ({ roster }: wire.CertifiedRoster, name: string): number[] =>
    Array.from({ length: roster.shards }, (_, shard) => shard).filter((shard) =>
      wire.shardToReplicas(roster, shard).some(({ operator }) => roster.operators[operator]!.name === name),
    )
  const large = (shards: number) => {
    const plan = { shards, replicas: 3 }
    return wire.bodyToCertified(wire.encodeRoster({ ...founding.roster, shards, plan }), [], [])
  }

  it('an operator holds the same shards with one node and with four, and divides them among its nodes', () => {
    const one = large(64)
    const more = ['ash2', 'ash3', 'ash4'].map((node) => join('ash', node, []))
    const four = step(step(one, { changes: more }))
    expect(four.roster.members).toHaveLength(8)
    expect(held(four, 'ash')).toEqual(held(one, 'ash'))
    const each = ['ash', 'ash2', 'ash3', 'ash4'].map((node) => wire.keyToShards(four.roster, key(`peer/${node}`)))
    expect(each.flat().sort((a, b) => a - b)).toEqual(held(one, 'ash'))
    for (const shards of each) expect(shards.length).toBeGreaterThan(0)
    // Which of its own nodes holds a shard follows from the keys of the nodes alone.
    for (const shard of held(four, 'ash')) {
      const suffix = Uint8Array.of(shard >> 8, shard & 0xff)
      const lowest = ['ash', 'ash2', 'ash3', 'ash4'].sort((a, b) =>
        Buffer.compare(hash(key(`peer/${a}`), suffix), hash(key(`peer/${b}`), suffix)),
      )[0]!
      expect(wire.keyToShards(four.roster, key(`peer/${lowest}`))).toContain(shard)
    }
    for (const name of TEST_OPERATORS.slice(1)) expect(held(four, name)).toEqual(held(one, name))
  })

  it('an operator whose nodes leave and join again, or that changes its key, keeps its rank and its shards', () => {
    const before = large(64)
    const left = step(before, { changes: [leave('peer/ash')] })
    const away = step(left)
    expect(rankOf(away, 'ash')).toEqual(rankOf(before, 'ash'))
    const back = step(step(away, { changes: [join('ash', 'ash2', [])] }))
    expect(held(back, 'ash')).toEqual(held(before, 'ash'))
    const rotated = step(back, { changes: [rotate('operator/ash', 'operator/ash#1')] })
    expect(held(rotated, 'ash')).toEqual(held(before, 'ash'))
  })

  it('the replicas of a shard belong to the operators with the lowest hashes of rank and shard', () => {
    const { roster } = large(64)
    for (let shard = 0; shard < 64; shard++) {
      const draw = ({ rank }: wire.RosterOperator) => hash(rank!, Uint8Array.of(0, shard))
      const lowest = roster.operators
        .filter(({ name }) => name !== 'office')
        .sort((a, b) => Buffer.compare(draw(a), draw(b)))
        .slice(0, 3)
      const replicas = wire.shardToReplicas(roster, shard)
      expect(replicas.map(({ operator }) => roster.operators[operator]!.name)).toEqual(lowest.map(({ name }) => name))
    }
  })
})
