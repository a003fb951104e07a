import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const node = testSigner('peer/ash')
const operator = testSigner('operator/ash')
const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const [u16, u32] = [fc.nat({ max: 0xffff }), fc.nat({ max: 0xffffffff })]
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const key = bytes(32)
const signature = bytes(64)
const ballot = { height: u32, firstEpoch: u32, hash: bytes(32) }
const printable = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 255 })
  .map((codes) => String.fromCharCode(...codes))
const sheets = fc
  .uniqueArray(u16, { maxLength: 20 })
  .chain((shards) =>
    fc.tuple(
      ...shards
        .sort((a, b) => a - b)
        .map((shard) => fc.record({ shard: fc.constant(shard), root: bytes(32), signature })),
    ),
  )
const opaque = fc.uint8Array({ maxLength: 500 })
const kind = <K extends wire.GossipKind>(name: K) => fc.constant(name)
const message: fc.Arbitrary<wire.GossipMessage> = fc.oneof(
  fc.record({
    kind: kind('presence'),
    key,
    time,
    height: u32,
    roster: bytes(8),
    release: bytes(8),
    addresses: fc.array(printable, { maxLength: 8 }),
    signature,
  }),
  fc.record({ kind: kind('sheets'), key, previous: bytes(32), firstEpoch: u32, sheets }),
  fc.record({ kind: kind('proposal'), ...ballot, holder: key, operator: u16, signature }),
  fc.record({ kind: kind('vote'), ...ballot, operator: u16, signature }),
  fc.record({ kind: kind('commitment'), previous: bytes(32), operator: u16, commitment: bytes(32), signature }),
  fc.record({ kind: kind('reveal'), height: u32, operator: u16, nonce: bytes(32) }),
  fc.record({ kind: kind('change'), change: opaque }),
  fc.record({ kind: kind('evidence'), evidence: opaque }),
  fc.record({ kind: kind('handover'), giver: key, taker: key, shard: u16, firstEpoch: u32, time, signature }),
  fc.record({ kind: kind('pin'), epoch: u32, roster: bytes(32), signature }),
)
/** Kinds that take all bytes of the frame. */
const isFixed = ({ kind }: wire.GossipMessage) => kind !== 'change' && kind !== 'evidence'

describe('a gossip message', () => {
  it('a gossip message of each kind decodes from its bytes unchanged', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(message, (item) => {
        seen.add(item.kind)
        const encoded = wire.encodeGossip(item)
        expect(wire.decodeGossip(encoded)).toEqual(item)
        expect(encoded[0]).toBe(wire.PROTOCOL_VERSION)
      }),
      { numRuns: 300 },
    )
    expect(seen.size).toBe(10)
  })

  it('a gossip message is refused at every cut and with one byte more', () => {
    fc.assert(
      fc.property(message.filter(isFixed), fc.nat(), (item, at) => {
        const encoded = wire.encodeGossip(item)
        expect(() => wire.decodeGossip(encoded.slice(0, at % encoded.length))).toThrow(malformed)
        expect(() => wire.decodeGossip(Uint8Array.from([...encoded, 0]))).toThrow(malformed)
      }),
      { numRuns: 200 },
    )
    const [sample] = fc.sample(message.filter(isFixed), 1)
    refusesCutAndLong(wire.encodeGossip(sample!), wire.decodeGossip)
  })

  it('random bytes are refused as gossip, or encode back to the same bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 11 }), fc.uint8Array({ maxLength: 400 }), (number, body) => {
        const encoded = Uint8Array.from([1, number, ...body])
        let read: wire.GossipMessage
        try {
          read = wire.decodeGossip(encoded)
        } catch (error) {
          expect(error).toMatchObject({ code: 'MESSAGE_MALFORMED' })
          return
        }
        expect(wire.encodeGossip(read)).toEqual(encoded)
      }),
      { numRuns: 500 },
    )
    neverThrowsAnythingElse(wire.encodeGossip(fc.sample(message, 1)[0]!), wire.decodeGossip)
  })

  it('a gossip message of another version, of an unknown kind or above the bound is refused', () => {
    expect(() => wire.decodeGossip(Uint8Array.of(2, 0))).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }))
    for (const unknown of [11, 12, 255]) {
      expect(() => wire.decodeGossip(Uint8Array.of(1, unknown, ...new Uint8Array(100)))).toThrow(malformed)
    }
    const change = new Uint8Array(wire.GOSSIP_MAX_BYTES - 2)
    expect(wire.encodeGossip({ kind: 'change', change })).toHaveLength(wire.GOSSIP_MAX_BYTES)
    const longer = Uint8Array.from([...wire.encodeGossip({ kind: 'change', change }), 0])
    expect(() => wire.decodeGossip(longer)).toThrow(malformed)
    expect(() => wire.encodeGossip({ kind: 'change', change: longer })).toThrow(RangeError)
  })

  it('a gossip message carries the sheets of at most 333 shards of one node', () => {
    const signed = (count: number): wire.GossipMessage => ({
      kind: 'sheets',
      key: node.key,
      previous: new Uint8Array(32),
      firstEpoch: 1,
      sheets: Array.from({ length: count }, (_, shard) => ({
        shard,
        root: new Uint8Array(32),
        signature: new Uint8Array(64),
      })),
    })
    const most = Math.floor((wire.GOSSIP_MAX_BYTES - 72) / 98)
    expect(most).toBe(333)
    expect(wire.decodeGossip(wire.encodeGossip(signed(most)))).toMatchObject({ sheets: { length: most } })
    expect(() => wire.encodeGossip(signed(most + 1))).toThrow(RangeError)
  })

  it('a gossip message lists shards in ascending order, each once', () => {
    const sheet = (shard: number) => ({ shard, root: new Uint8Array(32).fill(shard), signature: new Uint8Array(64) })
    const told = (...shards: number[]): wire.GossipMessage => ({
      kind: 'sheets',
      key: node.key,
      previous: new Uint8Array(32),
      firstEpoch: 1,
      sheets: shards.map(sheet),
    })
    expect(wire.encodeGossip(told(4, 2, 3))).toEqual(wire.encodeGossip(told(2, 3, 4)))
    expect(() => wire.decodeGossip(wire.encodeGossip(told(2, 2)))).toThrow(malformed)
    const swapped = wire.encodeGossip(told(2, 3))
    swapped.set([0, 9], 72)
    expect(() => wire.decodeGossip(swapped)).toThrow(malformed)
  })

  it('a presence holds at most eight addresses of printable ASCII', () => {
    const presence = (addresses: string[]) => ({
      ...wire.signPresence(node, {
        time: 1,
        height: 0,
        roster: new Uint8Array(8),
        release: new Uint8Array(8),
        addresses,
      }),
    })
    expect(() => wire.encodeGossip(presence(Array(9).fill('/ip4/1.1.1.1/tcp/1')))).not.toThrow()
    expect(() => wire.decodeGossip(wire.encodeGossip(presence(Array(9).fill('/a'))))).toThrow(malformed)
    for (const address of ['/a b', '/é', '/\n', '/\u007f']) {
      expect(() => wire.decodeGossip(wire.encodeGossip(presence([address]))), address).toThrow(malformed)
    }
    expect(() => presence([`/${'a'.repeat(255)}`])).toThrow(RangeError)
  })
})

describe('a signature in gossip', () => {
  const random = (length: number) => new Uint8Array(randomBytes(length))

  it('the signature of a presence covers every field', () => {
    const said = wire.signPresence(node, {
      time: 5,
      height: 1,
      roster: random(8),
      release: random(8),
      addresses: ['/ip4/127.0.0.1/tcp/1'],
    })
    expect(wire.isValidPresence(said)).toBe(true)
    const changes: Partial<wire.Presence>[] = [
      { key: operator.key },
      { time: 6 },
      { height: 2 },
      { roster: random(8) },
      { addresses: [] },
      { release: random(8) },
      { addresses: ['/ip4/127.0.0.1/tcp/2'] },
      { addresses: ['/ip4/127.0.0.1', '/tcp/1'] },
      { signature: random(64) },
    ]
    for (const change of changes)
      expect(wire.isValidPresence({ ...said, ...change }), Object.keys(change)[0]!).toBe(false)
  })

  it('the signature of a proposal covers every field and the federation', () => {
    const federation = random(32)
    const said = wire.signProposal(operator, federation, {
      height: 1,
      firstEpoch: 2,
      hash: random(32),
      holder: node.key,
      operator: 3,
    })
    expect(wire.isValidProposal(federation, said, operator.key)).toBe(true)
    expect(wire.isValidProposal(federation, said, node.key)).toBe(false)
    expect(wire.isValidProposal(random(32), said, operator.key)).toBe(false)
    const changes: Partial<wire.Proposal>[] = [
      { height: 2 },
      { firstEpoch: 3 },
      { hash: random(32) },
      { holder: operator.key },
      { operator: 4 },
      { signature: random(64) },
    ]
    for (const change of changes) {
      expect(wire.isValidProposal(federation, { ...said, ...change }, operator.key), Object.keys(change)[0]!).toBe(
        false,
      )
    }
  })

  it('the signature of a handover covers every field', () => {
    const said = wire.signHandover(node, { taker: random(32), shard: 1, firstEpoch: 2, time: 3 })
    expect(wire.isValidHandover(said)).toBe(true)
    const changes: Partial<wire.Handover>[] = [
      { giver: operator.key },
      { taker: random(32) },
      { shard: 2 },
      { firstEpoch: 3 },
      { time: 4 },
      { signature: random(64) },
    ]
    for (const change of changes)
      expect(wire.isValidHandover({ ...said, ...change }), Object.keys(change)[0]!).toBe(false)
  })

  it('the signature of a vote covers the whole ballot', () => {
    const on = { federation: random(32), height: 1, firstEpoch: 2, hash: random(32) }
    const vote = wire.signVote(operator, 3, on)
    expect(wire.isValidVote(on, operator.key, vote)).toBe(true)
    for (const change of [{ federation: random(32) }, { height: 2 }, { firstEpoch: 3 }, { hash: random(32) }]) {
      expect(wire.isValidVote({ ...on, ...change }, operator.key, vote)).toBe(false)
    }
    expect(wire.isValidVote(on, node.key, vote)).toBe(false)
  })

  it('the signature of a commitment covers the federation, the roster before and the commitment', () => {
    const [federation, previous, nonce] = [random(32), random(32), random(32)]
    const given = wire.signCommitment(operator, federation, previous, nonce)
    expect(given.commitment).toEqual(
      new Uint8Array(createHash('sha256').update('geotrace/nonce').update(nonce).digest()),
    )
    expect(wire.isValidCommitment(given, federation, previous, operator.key)).toBe(true)
    expect(wire.isValidCommitment(given, random(32), previous, operator.key)).toBe(false)
    expect(wire.isValidCommitment(given, federation, random(32), operator.key)).toBe(false)
    expect(wire.isValidCommitment(given, federation, previous, node.key)).toBe(false)
    expect(wire.isValidCommitment({ ...given, commitment: random(32) }, federation, previous, operator.key)).toBe(false)
  })
})
