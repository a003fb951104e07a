import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { testManifest, testReveals } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import {
  bad,
  change,
  expel,
  founding,
  join,
  joining,
  key,
  leave,
  lied,
  QUORUM,
  rotate,
  step,
  UNTIL,
} from '../succession/steps.ts'

const HASH = new Uint8Array(32)
const SIGNATURE = new Uint8Array(64)

/** A commitment of each of these operators. */
const committed = (operators: number): wire.Roster['commitments'] =>
  Array.from({ length: operators }, () => ({ commitment: HASH, signature: SIGNATURE }))

/** The largest certificate of this roster: indices of three bytes, a majority, a quorum, and all commitments. */
function largest(roster: wire.Roster, voters: number): Uint8Array {
  const body = wire.encodeRoster({
    ...roster,
    sheets: Array.from({ length: roster.shards }, () => HASH),
    commitments: roster.admitted.length > 0 ? committed(voters) : roster.commitments,
  })
  const signed: wire.SheetSignatures = Array.from({ length: wire.sheetQuorum(roster.replicas) }, () => [
    0xffff,
    SIGNATURE,
  ])
  const sheetSignatures = Array.from({ length: roster.shards }, () => signed)
  const vote = { operator: 0xffff, signature: SIGNATURE }
  const votes = Array.from({ length: wire.quorum(voters) }, () => vote)
  return wire.encodeCertifiedRoster({ body, sheetSignatures, votes })
}

/** A manifest with this many members, each of its own operator and with two addresses. */
function manifestOf(members: number, parameters: Partial<wire.Parameters>): wire.Manifest {
  const base = testManifest()
  const hex = (kind: number, i: number): string => wire.bytesToHex(Uint8Array.of(kind, i >> 8, i)).padEnd(64, '0')
  const operators = Math.min(members, wire.OPERATORS_MAX - 1)
  const nonce = (i: number): Uint8Array => wire.hexToBytes(hex(3, i))
  const commitment = (i: number): string => wire.bytesToHex(wire.nonceToCommitment(nonce(i)))
  const { openings, ...frozen } = base
  const manifest = wire.assertFrozenManifest({
    ...frozen,
    parameters: { ...base.parameters, ...parameters },
    operators: [
      ...Array.from({ length: operators }, (_, i) => ({ name: `operator-${i}`, key: hex(1, i) })),
      base.operators.at(-1)!,
    ],
    members: Array.from({ length: members }, (_, i) => ({
      peerId: wire.keyToPeerId(wire.hexToBytes(hex(2, i))),
      operator: `operator-${i % operators}`,
      addresses: [`/ip4/127.0.0.1/tcp/${10_000 + i}`, `/ip4/127.0.0.1/tcp/${20_000 + i}/tls/http`],
      commitment: commitment(i),
    })),
  })
  const nonces = Array.from({ length: members }, (_, i) => nonce(i))
  return wire.completeManifest(manifest, [...nonces, wire.hexToBytes(openings.at(-1)!)])
}

/** The largest number of shards for these members and replicas. */
function mostShards(members: number, replicas: number): number {
  const roster = wire.manifestToRoster(manifestOf(members, { shards: 1, replicas }))
  let [fits, not] = [1, wire.SHARDS_MAX + 1]
  while (not - fits > 1) {
    const shards = Math.floor((fits + not) / 2)
    const bytes = wire.settledBytes({ ...roster, shards, plan: { shards, replicas } })
    if (bytes <= wire.SETTLED_MAX_BYTES) fits = shards
    else not = shards
  }
  return fits
}

describe('the size of a roster', () => {
  it('the computed size of a roster is that of its largest certificate, to the byte', () => {
    const { roster } = step(founding, { changes: [join('gum'), leave('peer/ash')] })
    for (const shards of [1, 23, 24, 255, 256, 700]) {
      for (const [replicas, voters] of [
        [1, 1],
        [3, 6],
        [5, 36],
        [15, 300],
      ] as const) {
        const sized = { ...roster, shards, replicas }
        expect(wire.certificateBytes(sized, voters)).toBe(largest(sized, voters).length)
      }
    }
  })

  it('the settled size of a roster does not grow without new changes', () => {
    const amend = change(
      { kind: 'amend', at: 1, until: UNTIL, core: null, shards: 40, replicas: 4, evaluations: null, apps: null },
      QUORUM,
    )
    let at = step(founding, { changes: [join('gum'), join('hazel'), leave('operator/ash'), amend] })
    let settled = wire.settledBytes(at.roster)
    expect(settled).toBeGreaterThan(wire.settledBytes(founding.roster))
    // The ranks come late, because the nodes wait while fewer than a quorum open their nonces.
    for (const reveals of [0, 0, 8, 0, 0]) {
      const next = step(at, { reveals: testReveals(at, reveals) })
      // Two lists can have longer heads than one list.
      expect(wire.certificateBytes(next.roster, at.roster.operators.length)).toBeLessThanOrEqual(settled + 8)
      const after = wire.settledBytes(next.roster)
      expect(after).toBeLessThanOrEqual(settled)
      settled = after
      at = next
    }
    expect(at.roster.members).toHaveLength(6)
    // Only commitments or nonces could follow, and the last roster needs none.
    const { operators } = at.roster
    const commitments = committed(operators.length)
    const withCommitments = { ...at.roster, height: 0xffffffff, firstEpoch: 0xffffffff, commitments }
    expect(settled).toBe(largest(withCommitments, operators.length).length)
  })

  it('a departure never makes the settled roster larger', () => {
    const grown = step(founding, { changes: [join('gum'), join('ash', 'ash2', [])] })
    for (const departure of [
      leave('peer/ash'),
      leave('peer/ash2'),
      leave('operator/elm'),
      expel('operator/birch'),
      lied('peer/gum'),
    ]) {
      const next = step(grown, { changes: [departure] })
      expect(wire.settledBytes(next.roster)).toBeLessThan(wire.settledBytes(grown.roster))
    }
  })
})

describe('a founding', () => {
  it('a founding whose rosters would not fit is refused with the bytes and a remedy', () => {
    const refused = expect.objectContaining({
      code: 'MANIFEST_INVALID',
      data: { path: 'parameters.shards', reason: expect.stringMatching(/bytes where 229376 fit; choose fewer shards/) },
    })
    expect(() => manifestOf(20, { shards: 4_096, replicas: 15 })).toThrow(refused)
    expect(() => manifestOf(5, { shards: 4_096, replicas: 1 })).toThrow(refused)
    expect(() => manifestOf(1_000, { shards: 95, replicas: 3 })).toThrow(refused)
    expect(() => manifestOf(1_000, { shards: 94, replicas: 3 })).not.toThrow()
    for (const members of [5, 30, 100, 300]) {
      expect(() => manifestOf(members, { shards: 256, replicas: 5 })).not.toThrow()
    }
  })

  it('PROTOCOL.md has the largest number of shards for each number of replicas and members', () => {
    const page = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')
    const lines = page.slice(page.indexOf('| R | 5 members |')).split('\n')
    const rows = [1, 3, 5, 7, 15].map((replicas) => {
      const most = (count: number) => (count < replicas ? '–' : mostShards(count, replicas).toLocaleString('en'))
      return `| ${replicas} | ${[5, 30, 100, 300].map(most).join(' | ')} |`
    })
    expect(lines.slice(2, 7)).toEqual(rows)
    expect(lines[8]).toBe(`With R = 3, a roster of 1,000 members holds at most ${mostShards(1_000, 3)} shards.`)
  })

  it('a founding with the largest number of shards fits its frame and leaves room for changes', () => {
    for (const [members, replicas] of [
      [5, 1],
      [30, 5],
      [300, 3],
    ] as const) {
      const shards = mostShards(members, replicas)
      expect(() => manifestOf(members, { shards: shards + 1, replicas })).toThrow(/bytes where 229376 fit/)
      const roster = wire.manifestToRoster(manifestOf(members, { shards, replicas }))
      const bytes = largest(roster, roster.operators.length).length
      expect(bytes).toBeLessThanOrEqual(wire.SETTLED_MAX_BYTES)
      const largestChange = wire.CHANGE_MAX_BYTES + wire.MEMBERS_PER_OPERATOR_MAX * 34 + 1_000
      expect(wire.SETTLED_MAX_BYTES + largestChange).toBeLessThan(wire.ROSTER_MAX_BYTES)
      const frame = wire.encodeRosterReply(largest(roster, roster.operators.length))
      expect(frame.length).toBeLessThanOrEqual(wire.ROSTER_PROTOCOL.replyMaxBytes)
    }
  })
})

describe('a federation that is nearly full', () => {
  /** The number of shards with three replicas that leaves room for one more node, and for the old key of one rotation. */
  const almost = (() => {
    const settled = (shards: number) => wire.settledBytes({ ...founding.roster, shards, plan: { shards, replicas: 3 } })
    const each = settled(701) - settled(700)
    const shards = 700 + Math.floor((wire.SETTLED_MAX_BYTES - settled(700) - 340) / each)
    const roster = { ...founding.roster, shards, plan: { shards, replicas: 3 } }
    return wire.bodyToCertified(wire.encodeRoster(roster), [], [])
  })()
  const full = step(almost, { changes: [join('gum')] })
  const problem = (previous: wire.CertifiedRoster, change: wire.Change) =>
    wire.changeToProblem(previous, { federation: previous.roster.federation, change })
  const refused = (changes: readonly Uint8Array[]) =>
    expect(() => step(full, { changes })).toThrow(bad(/the federation is full/))

  it('a full federation admits no further node, and changeToProblem gives the reason beforehand', () => {
    refused([join('hazel')])
    expect(problem(full, joining('hazel'))).toMatch(/the federation is full/)
    expect(problem(almost, joining('gum'))).toBeUndefined()
    expect(problem(full, joining('gum'))).toMatch(/a key in use/)
  })

  it('a full federation refuses longer addresses and more shards, and accepts fewer shards', () => {
    const move = (addresses: string[]): wire.Change => ({
      kind: 'move',
      at: 1,
      until: UNTIL,
      key: key('peer/ash'),
      addresses,
    })
    const long = move(Array.from({ length: 8 }, () => `/${'a'.repeat(255)}`))
    refused([change(long, ['peer/ash'])])
    expect(problem(full, long)).toMatch(/the federation is full/)
    const plan = (shards: number): wire.Change => ({
      kind: 'amend',
      at: 1,
      until: UNTIL,
      core: null,
      shards,
      replicas: null,
      evaluations: null,
      apps: null,
    })
    const { shards } = full.roster
    refused([change(plan(shards + 10), QUORUM)])
    expect(problem(full, plan(shards + 10))).toMatch(/the federation is full/)
    const fewer = step(full, { changes: [change(plan(shards - 10), QUORUM)] })
    expect(() => step(fewer, { changes: [join('hazel')] })).not.toThrow()
  })

  it('a full federation goes on without a change, with departures and with rotations, and always fits its frame', () => {
    let at = full
    const reveals = testReveals(full, 7)
    for (const choice of [
      { reveals },
      {},
      { changes: [rotate('operator/ash', 'operator/ash2', ['operator/ash2', ...QUORUM])] },
      {
        changes: [
          leave('peer/gum'),
          expel(
            'operator/elm',
            QUORUM.filter((role) => role !== 'operator/ash').concat('operator/ash2', 'operator/office'),
          ),
        ],
      },
      { changes: [lied('peer/cedar')] },
      {},
    ]) {
      const next = step(at, choice)
      const bytes = largest(next.roster, at.roster.operators.length)
      expect(bytes.length).toBeLessThanOrEqual(wire.ROSTER_MAX_BYTES)
      at = next
    }
    const sponsors = ['operator/birch', 'operator/fir', 'operator/office']
    expect(() => step(at, { changes: [join('hazel', 'hazel', sponsors)] })).not.toThrow()
  })
})
