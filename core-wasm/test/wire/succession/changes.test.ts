import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'
import { federation, joining, key, UNTIL } from './steps.ts'

const bad = (reason: RegExp) =>
  expect.objectContaining({ code: 'CHANGE_INVALID', message: expect.stringMatching(reason) })

const hash = new Uint8Array(32).fill(5)
const ALL: wire.Change[] = [
  joining('gum'),
  { kind: 'leave', until: 0, key: key('peer/ash') },
  {
    kind: 'move',
    at: 2 ** 53 - 1,
    until: UNTIL,
    key: key('peer/ash'),
    addresses: ['/dns4/salt.example.org/tcp/443/wss'],
  },
  { kind: 'rotate', until: 7, from: key('operator/ash'), to: key('operator/gum') },
  { kind: 'expel', until: 7, key: key('operator/ash') },
  {
    kind: 'amend',
    at: 0,
    until: 7,
    core: { simd: hash, scalar: hash },
    shards: 4_096,
    replicas: 15,
    evaluations: 0xffffffff,
    apps: ['https://app.example.org'],
  },
  {
    kind: 'amend',
    at: 1_700_000_000_000,
    until: 7,
    core: null,
    shards: null,
    replicas: null,
    evaluations: null,
    apps: null,
  },
  {
    kind: 'amend',
    at: 1,
    until: 7,
    core: null,
    shards: null,
    replicas: null,
    evaluations: null,
    apps: null,
    spread: null,
  },
  {
    kind: 'amend',
    at: 1,
    until: 7,
    core: null,
    shards: null,
    replicas: null,
    evaluations: null,
    apps: null,
    spread: { areas: [7, 288_121], resolution: 8, periodDays: 14, minimum: 20, epsilon: 4_000 },
    release: hash,
    tokens: { perDay: 4, key: `8${'0'.repeat(510)}1`, relayKey: `8${'0'.repeat(510)}3` },
  },
  {
    kind: 'amend',
    at: 1,
    until: 7,
    core: null,
    shards: null,
    replicas: null,
    evaluations: null,
    apps: null,
    release: null,
  },
  { kind: 'lied', until: 7, key: key('peer/ash'), evidence: hash },
]
const signed = (change: wire.Change, roles: readonly string[]) =>
  roles.map(testSigner).reduce(wire.signChange, wire.newChange(federation, change))

describe('a change', () => {
  it('a change of each kind decodes from its bytes unchanged', () => {
    for (const change of ALL) {
      const all = signed(change, ['peer/gum', 'operator/gum'])
      const read = wire.decodeChange(wire.encodeChange(all))
      expect(read).toEqual(all)
      expect(() => wire.assertSigned(read)).not.toThrow()
    }
  })

  it('the id of a change depends on its content and federation, and not on its signatures', () => {
    const ids = [
      ...ALL.map((change) => wire.changeToId(wire.newChange(federation, change))),
      ...ALL.map((change) => wire.changeToId(wire.newChange(hash, change))),
      wire.changeToId(wire.newChange(federation, { ...ALL[1]!, until: 1 })),
    ].map(wire.bytesToHex)
    expect(new Set(ids).size).toBe(ids.length)
    expect(wire.changeToId(signed(ALL[0]!, ['peer/gum']))).toEqual(wire.changeToId(wire.newChange(federation, ALL[0]!)))
  })

  it('the order of signing does not alter a change, and a key signs once', () => {
    const roles = ['peer/gum', 'operator/gum', 'operator/ash', 'operator/birch', 'operator/cedar']
    const once = wire.encodeChange(signed(ALL[0]!, roles))
    fc.assert(
      fc.property(fc.shuffledSubarray(roles, { minLength: 5 }), fc.nat(4), (order, again) => {
        expect(wire.encodeChange(signed(ALL[0]!, [...order, order[again]!]))).toEqual(once)
        const halves = [order.slice(0, again), order.slice(again)].map((part) => signed(ALL[0]!, part))
        expect(wire.encodeChange(wire.addSignatures(halves[0]!, halves[1]!.signatures))).toEqual(once)
      }),
      { numRuns: 20 },
    )
  })

  it('a change holds the signatures of a quorum of 300 operators, and is refused above its bound', () => {
    const many = (change: wire.Change, count: number): wire.SignedChange => ({
      ...wire.newChange(federation, change),
      signatures: Array.from({ length: count }, (_, i) => ({
        key: Uint8Array.from({ length: 32 }, (_, k) => (k === 0 ? i >> 8 : k === 1 ? i : 0)),
        signature: new Uint8Array(64),
      })),
    })
    const longJoin = { ...joining('gum'), addresses: Array.from({ length: 8 }, () => `/${'a'.repeat(255)}`) }
    // A rotation has the new key beside a quorum, a join has the joiner and its operator beside the sponsors.
    for (const [change, count] of [
      [ALL[3]!, wire.quorum(wire.OPERATORS_MAX) + 1],
      [longJoin, wire.sponsorQuorum(wire.OPERATORS_MAX) + 2],
    ] as const) {
      const encoded = wire.encodeChange(many(change, count))
      expect(wire.decodeChange(encoded).signatures).toHaveLength(count)
      expect(wire.encodeGossip({ kind: 'change', change: encoded }).length).toBeLessThan(wire.GOSSIP_MAX_BYTES)
    }
    expect(() => wire.encodeChange(many(ALL[3]!, 300))).toThrow(RangeError)
    expect(() => wire.decodeChange(encode(many(ALL[3]!, 300)))).toThrow(bad(/at most 24576 bytes/))
  })

  it('a change with one invalid signature is refused', () => {
    const good = signed(ALL[0]!, ['peer/gum', 'operator/gum'])
    const [a, b] = good.signatures as [wire.ChangeSignature, wire.ChangeSignature]
    const swapped = [
      { key: a.key, signature: b.signature },
      { key: b.key, signature: a.signature },
    ]
    expect(() => wire.assertSigned({ ...good, signatures: swapped })).toThrow(bad(/signature/))
    expect(() => wire.assertSigned({ ...good, federation: hash })).toThrow(bad(/signature/))
    expect(() => wire.assertSigned({ ...good, change: { ...good.change, until: 1 } })).toThrow(bad(/signature/))
    expect(() => wire.assertSigned({ ...good, signatures: [] })).not.toThrow()
  })

  it('a change with signatures out of order or twice from one key is refused', () => {
    const good = signed(ALL[0]!, ['peer/gum', 'operator/gum'])
    const [a, b] = good.signatures as [wire.ChangeSignature, wire.ChangeSignature]
    expect(() => wire.decodeChange(encode({ ...good, signatures: [b, a] }))).toThrow(bad(/order/))
    expect(() => wire.decodeChange(encode({ ...good, signatures: [a, a] }))).toThrow(bad(/order/))
  })

  it('a change with a value out of range, a missing key or an unknown key is refused', () => {
    const refuse = (kind: string, change: Record<string, unknown>) =>
      expect(() => wire.decodeChange(encode({ federation, change, signatures: [] })), kind).toThrow(bad(/./))
    const [joins, leaves, moves, , , amends] = ALL as [
      wire.Change,
      wire.Change,
      wire.Change,
      unknown,
      unknown,
      wire.Change,
    ]
    refuse('until', { ...leaves, until: 2 ** 32 })
    refuse('until', { ...leaves, until: -1 })
    refuse('until', { ...leaves, until: 1.5 })
    for (const at of [-1, 1.5, 2 ** 53, undefined]) {
      refuse(`at ${at}`, { ...moves, at })
      refuse(`at ${at}`, { ...amends, at })
    }
    refuse('at', { ...leaves, at: 1 })
    refuse('kind', { ...leaves, kind: 'stay' })
    refuse('extra', { ...leaves, extra: 1 })
    refuse('missing', { kind: 'leave', until: 1 })
    refuse('key', { ...leaves, key: hash.slice(1) })
    for (const operator of ['', 'Ash', '-ash', 'a'.repeat(64), 'a/b']) refuse(operator, { ...joins, operator })
    for (const addresses of [[], Array(9).fill('/ip4/1.1.1.1/tcp/1'), ['tcp/1'], [`/${'a'.repeat(256)}`], ['/a b']]) {
      refuse('addresses', { ...joins, addresses })
      refuse('addresses', { ...moves, addresses })
    }
    refuse('shards', { ...amends, shards: 0 })
    refuse('shards', { ...amends, shards: 4_097 })
    refuse('replicas', { ...amends, replicas: 16 })
    refuse('core', { ...amends, core: { simd: hash } })
  })
})

describe('deterministic CBOR', () => {
  const value = wire.newChange(federation, ALL[1]!)
  const encoded = wire.encodeChange(value)

  it('a change decodes from its deterministic CBOR only', () => {
    const at = encoded.findIndex((byte, i) => byte === 0x65 && encoded[i + 1] === 'u'.charCodeAt(0))
    expect(at).toBeGreaterThan(0)
    // `until` 0 is written as a one-byte argument, and as a float.
    for (const zero of [
      [0x18, 0],
      [0xf9, 0, 0],
      [0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
    ]) {
      const long = Uint8Array.from([...encoded.slice(0, at + 6), ...zero, ...encoded.slice(at + 7)])
      expect(encoded[at + 6]).toBe(0)
      expect(() => wire.decodeChange(long)).toThrow(bad(/CBOR|canonical/))
    }
    expect(() => wire.decodeChange(encode(value, { mapSorter: (a, b) => -compareKeys(a, b) }))).toThrow(
      bad(/canonical/),
    )
  })

  it('CBOR with a repeated key, an indefinite length, a tag or undefined is refused', () => {
    const [head, ...rest] = encoded
    expect(head).toBe(0xa3)
    const entry = encode('signatures')
    const twice = Uint8Array.from([0xa4, ...rest, ...entry, 0x80])
    expect(() => wire.decodeChange(twice)).toThrow(bad(/expected CBOR/))
    expect(() => wire.decodeChange(Uint8Array.from([0xbf, ...rest, 0xff]))).toThrow(bad(/expected CBOR/))
    expect(() => wire.decodeChange(Uint8Array.from([0xc1, ...encoded]))).toThrow(bad(/expected CBOR/))
    expect(() => wire.decodeChange(encode({ ...value, change: { ...value.change, key: undefined } }))).toThrow(
      bad(/expected CBOR/),
    )
    expect(() => wire.decodeChange(new Uint8Array(20_000).fill(0x81))).toThrow(bad(/expected CBOR/))
  })

  it('a change that is cut, too long or garbled is refused', () => {
    refusesCutAndLong(wire.encodeChange(signed(ALL[0]!, ['peer/gum'])), wire.decodeChange)
    neverThrowsAnythingElse(encoded, wire.decodeChange)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => wire.decodeChange(bytes)).toThrow(bad(/./))
      }),
    )
  })

  it('a decoded change does not share memory with its buffer', () => {
    const buffer = encoded.slice()
    const read = wire.decodeChange(buffer)
    buffer.fill(0)
    expect(read).toEqual(value)
  })
})

function compareKeys(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}
