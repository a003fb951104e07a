import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))
const seedOf = (part: number): wire.WrappedSeed => ({
  ...{ part, epoch: 5, wrapped: random(64), maker: part % 7, signature: random(64) },
})
const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
const head = { federation: random(32), shard: 2, firstEpoch: 11 }
const some = fc.uniqueArray(fc.nat({ max: wire.PARTS_MAX - 1 })).map((parts) => parts.sort((a, b) => a - b))

describe('seeds messages', () => {
  it('requests and replies about any parts decode from their bytes unchanged', () => {
    const same = (request: wire.SeedsRequest) =>
      expect(wire.decodeSeedsRequest(wire.encodeSeedsRequest(request))).toEqual(request)
    fc.assert(
      fc.property(some, fc.boolean(), fc.nat({ max: 34 }), fc.nat({ max: 1_024 }), (parts, isRooted, part, count) => {
        const seeds = parts.map(seedOf)
        same({ op: 'offer', ...head, offered: parts })
        same({ op: 'fetch', ...head, wanted: parts, takerKey: random(32) })
        same({ op: 'lines', ...head, part, from: 65_535, count })
        const reply = { root: isRooted ? random(32) : undefined, giverKey: random(32), parts: seeds }
        expect(wire.decodeSeedsReply(wire.encodeSeedsReply(reply))).toEqual(reply)
        const lines = { maker: part, signature: random(64), lines: random(32 * (count % 9)) }
        expect(wire.decodeLinesReply(wire.encodeLinesReply(lines))).toEqual(lines)
      }),
      { numRuns: 40 },
    )
  })

  it('the largest request, answer and lines fit their frames', () => {
    const parts = Array.from({ length: wire.PARTS_MAX }, (_, part) => seedOf(part))
    const wanted = parts.map(({ part }) => part)
    expect(wire.encodeSeedsRequest({ op: 'offer', ...head, offered: wanted })).toHaveLength(40 + 8)
    const fetch = { op: 'fetch', ...head, wanted, takerKey: random(32) } as const
    expect(wire.encodeSeedsRequest(fetch)).toHaveLength(40 + 8 + 32)
    const reply = { root: random(32), giverKey: random(32), parts }
    expect(wire.encodeSeedsReply(reply)).toHaveLength(1 + 32 + 32 + 1 + 35 * 134)
    const lines = random(32 * wire.LINES_PER_REPLY_MAX)
    expect(wire.encodeLinesReply({ maker: 0, signature: random(64), lines })).toHaveLength(1 + 1 + 64 + 32 * 1_024)
    expect(wire.SEEDS_PROTOCOL).toMatchObject({ requestMaxBytes: 128, replyMaxBytes: 36_864 })
  })

  it('a part above 34, a part twice or out of order, a cut line and too many lines are refused', () => {
    const keys = { root: random(32), giverKey: random(32) }
    const reply = (...parts: number[]) => wire.encodeSeedsReply({ ...keys, parts: parts.map(seedOf) })
    for (const parts of [[35], [3, 3], [4, 3]]) expect(() => wire.decodeSeedsReply(reply(...parts))).toThrow(malformed)
    const wanted = wire.encodeSeedsRequest({ op: 'offer', ...head, offered: [] })
    for (const [at, bit] of [
      [40, 0x80],
      [43, 0x08],
    ] as const) {
      const bad = wanted.slice()
      bad[at]! |= bit
      expect(() => wire.decodeSeedsRequest(bad)).toThrow(malformed)
    }
    const lines = (count: number, part = 3) => wire.encodeSeedsRequest({ op: 'lines', ...head, part, from: 0, count })
    expect(() => wire.decodeSeedsRequest(lines(1_025))).toThrow(malformed)
    expect(() => wire.decodeSeedsRequest(lines(1, 35))).toThrow(malformed)
    const few = wire.encodeLinesReply({ maker: 0, signature: random(64), lines: random(64) })
    expect(() => wire.decodeLinesReply(few.slice(0, -1))).toThrow(malformed)
    const long = wire.encodeLinesReply({ maker: 0, signature: random(64), lines: random(32 * 1_025) })
    expect(() => wire.decodeLinesReply(long)).toThrow(malformed)
  })

  it('a seeds message that is cut, too long or garbled is refused', () => {
    const fetch = wire.encodeSeedsRequest({ op: 'fetch', ...head, wanted: [3], takerKey: random(32) })
    const reply = wire.encodeSeedsReply({ root: random(32), giverKey: random(32), parts: [1, 4].map(seedOf) })
    refusesCutAndLong(wire.encodeSeedsRequest({ op: 'offer', ...head, offered: [1, 4] }), wire.decodeSeedsRequest)
    refusesCutAndLong(fetch, wire.decodeSeedsRequest)
    refusesCutAndLong(reply, wire.decodeSeedsReply)
    neverThrowsAnythingElse(fetch, wire.decodeSeedsRequest)
    neverThrowsAnythingElse(reply, wire.decodeSeedsReply)
  })
})

describe('the statement of a maker', () => {
  it('the statement names federation, roster before, shard, period, part and the hash of all lines', () => {
    const lines = random(32 * 5)
    const [federation, previous] = [random(32), random(32)]
    const hash = wire.partLinesToHash(lines)
    expect(Buffer.from(hash)).toEqual(createHash('sha256').update(lines).digest())
    const content = wire.seedContent({ federation, previous, shard: 0x0102, firstEpoch: 0x03040506, part: 7, hash })
    const numbers = Buffer.from([1, 2, 3, 4, 5, 6, 7])
    expect(Buffer.from(content)).toEqual(Buffer.concat([federation, previous, numbers, hash]))
  })

  it('the published statement has the signature of OpenSSL, and its frames hold the published values', () => {
    const published = JSON.parse(readFileSync(new URL('../../../vectors/seeds.json', import.meta.url), 'utf8'))
    const { maker, statement, seed, wrap, frames } = published
    const of = (hex: string) => Buffer.from(hex, 'hex')
    const number = (value: number, bytes: number) => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
    const hash = createHash('sha256').update(of(statement.lines)).digest()
    const place = Buffer.concat([number(statement.shard, 2), number(statement.firstEpoch, 4)])
    const content = Buffer.concat([of(statement.federation), of(statement.previous), place, number(3, 1), hash])
    const domain = Buffer.from('geotrace/seed')
    const signed = Buffer.concat([number(domain.length, 1), domain, number(content.length, 4), content])
    const der = Buffer.concat([of('302e020100300506032b657004220420'), of(maker.secret)])
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    expect(statement.signature).toBe(sign(null, signed, key).toString('hex'))
    const part = (index: number) =>
      Buffer.concat([
        ...[number(index, 1), number(seed.epoch, 4), of(wrap.wrapped[index])],
        ...[number(seed.maker, 1), of(statement.signature)],
      ])
    const parts = Buffer.concat([number(2, 1), part(3), part(34)])
    const head = (op: number) => Buffer.concat([number(1, 1), number(op, 1), of(statement.federation), place])
    expect(frames).toEqual({
      offer: Buffer.concat([head(0), of('0000000400000008')]).toString('hex'),
      fetch: Buffer.concat([head(1), of('0000000400000008'), of(wrap.takerKey)]).toString('hex'),
      fetchReply: Buffer.concat([number(0, 1), of(seed.root), of(wrap.giverKey), parts]).toString('hex'),
      lines: Buffer.concat([head(2), number(3, 1), number(0, 4), number(3, 2)]).toString('hex'),
      linesReply: Buffer.concat([
        ...[number(0, 1), number(seed.maker, 1), of(statement.signature), of(statement.lines)],
      ]).toString('hex'),
    })
  })
})
