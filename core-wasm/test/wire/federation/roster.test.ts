import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import { foundRoster, testManifest, testSigner, testTrees } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const manifest = testManifest()
const trees = testTrees(manifest)
const certified = foundRoster(manifest, trees)
const bad = (reason: RegExp) =>
  expect.objectContaining({ code: 'ROSTER_INVALID', message: expect.stringMatching(reason) })
const certify = (roster: wire.CertifiedRoster) => wire.assertCertified(wire.manifestToPredecessor(manifest), roster)

describe('a founding roster', () => {
  it('a founding roster is accepted from its bytes and has one hash', () => {
    const bytes = wire.encodeCertifiedRoster(certified)
    const read = wire.decodeCertifiedRoster(bytes)
    expect(read).toEqual(certified)
    expect(() => certify(read)).not.toThrow()
    expect(wire.rosterName(read)).toHaveLength(16)
  })

  it('a founding roster needs ⌊2n/3⌋ + 1 votes of its operators', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 9].map(wire.quorum)).toEqual([1, 2, 3, 3, 4, 5, 5, 7])
    expect(() => certify(foundRoster(manifest, trees, { voters: 5 }))).not.toThrow()
    expect(() => certify(foundRoster(manifest, trees, { voters: 4 }))).toThrow(bad(/votes/))
    const twice = { ...certified, votes: [...certified.votes.slice(0, 4), certified.votes[0]!] }
    expect(() => certify(twice)).toThrow(bad(/votes/))
    const forged = {
      ...certified,
      votes: certified.votes.map((vote) => ({ ...vote, signature: certified.votes[0]!.signature })),
    }
    expect(() => certify(forged)).toThrow(bad(/signature/))
    expect(() => certify({ ...certified, votes: [{ ...certified.votes[0]!, operator: 77 }] })).toThrow(bad(/stranger/))
  })

  it('a founding roster needs the signatures of a majority of replicas under each sheet', () => {
    expect(() => certify(foundRoster(manifest, trees, { sheetSigners: 2 }))).not.toThrow()
    expect(() => certify(foundRoster(manifest, trees, { sheetSigners: 1 }))).toThrow(bad(/signatures/))
  })

  it('a founding roster must follow from its own manifest', () => {
    const other = wire.assertManifest({ ...manifest, name: 'another' })
    expect(() => wire.assertCertified(wire.manifestToPredecessor(other), certified)).toThrow(bad(/does not follow/))
  })

  it('a roster that is cut, too long, garbled or not canonical is refused', () => {
    refusesCutAndLong(wire.encodeCertifiedRoster(certified).slice(0, 400), wire.decodeCertifiedRoster)
    neverThrowsAnythingElse(wire.encodeCertifiedRoster(certified), wire.decodeCertifiedRoster, 400)
    const loose = encode({ ...certified.roster }, { mapSorter: () => 0 })
    expect(wire.bytesToHex(loose)).not.toBe(wire.bytesToHex(certified.body))
    expect(() => wire.decodeRoster(loose)).toThrow(bad(/canonical/))
    expect(() => wire.decodeRoster(encode({ ...certified.roster, extra: 1 }))).toThrow(bad(/./))
  })
})

describe('replicas of a shard', () => {
  it('the replicas of a shard are R members of distinct operators, for any order of members', () => {
    for (let shard = 0; shard < 5; shard++) {
      const replicas = wire.shardToReplicas(certified.roster, shard)
      expect(new Set(replicas.map((member) => member.operator)).size).toBe(3)
      const turned = { ...certified.roster, members: [...certified.roster.members].reverse() }
      expect(wire.shardToReplicas(turned, shard)).toEqual(replicas)
    }
    expect(() => wire.shardToReplicas(certified.roster, 5)).toThrow(RangeError)
  })

  it('every shard has replicas, and keyToShards is the inverse of shardToReplicas', () => {
    const held = certified.roster.members.map((member) => wire.keyToShards(certified.roster, member.key))
    expect(held.flat().sort()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    expect(wire.keyToShards(certified.roster, testSigner('peer/office').key)).toEqual([])
  })

  it('no operator has two replicas of one shard', () => {
    const members = manifest.members.map((member, i) => (i === 1 || i === 2 ? { ...member, operator: 'ash' } : member))
    const sharing = wire.assertManifest({ ...manifest, members })
    const roster = wire.manifestToRoster(sharing)
    for (let shard = 0; shard < 5; shard++) {
      const operators = wire.shardToReplicas(roster, shard).map((member) => member.operator)
      expect(new Set(operators).size).toBe(3)
    }
  })
})

describe('the roster in force', () => {
  const at = (height: number, firstEpoch: number) => ({
    ...certified,
    roster: { ...certified.roster, height, firstEpoch },
  })
  it('the roster in force is the newest one that begins by the epoch, as far as its sheets reach', () => {
    const rosters = [at(1, 118), at(0, 100), at(2, 136)]
    expect(wire.rosterInForce(rosters, 99)).toBeUndefined()
    expect(wire.rosterInForce(rosters, 100)?.roster.height).toBe(0)
    expect(wire.rosterInForce(rosters, 117)?.roster.height).toBe(0)
    expect(wire.rosterInForce(rosters, 118)?.roster.height).toBe(1)
    expect(wire.rosterInForce(rosters, 136 + 21)?.roster.height).toBe(2)
    expect(wire.rosterInForce(rosters, 136 + 22)).toBeUndefined()
  })
})

describe('the web pages that may send requests', () => {
  it('pages of listed apps may send requests, and pages of this machine only while all peers are on it', () => {
    const app = 'https://app.example.org'
    const local = { ...certified.roster, apps: [app] }
    for (const origin of [app, 'http://localhost:5173', 'http://127.0.0.1:8080']) {
      expect(wire.isAppOrigin(local, origin), origin).toBe(true)
    }
    const central = { ...local.central, addresses: ['/ip4/203.0.113.7/tcp/4101'] }
    expect(wire.isAppOrigin({ ...local, central }, app)).toBe(true)
    for (const origin of [
      'http://localhost:5173',
      'http://app.example.org',
      'https://example.org',
      `${app}:8443`,
      'null',
    ]) {
      expect(wire.isAppOrigin({ ...local, central }, origin), origin).toBe(false)
    }
  })
})
