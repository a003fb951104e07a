import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))

describe('roster messages', () => {
  it('roster requests and replies decode from their bytes unchanged', () => {
    const requests: wire.RosterRequest[] = [
      { op: 'get', height: 7 },
      { op: 'body', hash: random(32) },
      { op: 'pool' },
      { op: 'time' },
      { op: 'submit', message: random(300) },
      { op: 'news', height: 7, epoch: 0xffffffff },
      { op: 'named', form: 'certificate', roster: random(8) },
      { op: 'named', form: 'step', roster: random(8) },
      { op: 'spread-keys', period: 20_790 },
      { op: 'spread', period: 0xffffffff },
    ]
    for (const request of requests) expect(wire.decodeRosterRequest(wire.encodeRosterRequest(request))).toEqual(request)
    const messages = [random(0), random(1), random(300)]
    expect(wire.decodePoolReply(wire.encodePoolReply(messages))).toEqual(messages)
    const time = { time: 123_456, federation: new Uint8Array(32).fill(7) }
    expect(wire.decodeTimeReply(wire.encodeTimeReply(time))).toEqual(time)
    const keys = [1, 2].map((period) => ({ key: random(32), period, slipKey: random(32), signature: random(64) }))
    for (const count of [0, 1, 2])
      expect(wire.decodeSpreadKeysReply(wire.encodeSpreadKeysReply(keys.slice(0, count)))).toEqual(keys.slice(0, count))
    expect(() => wire.decodeSpreadKeysReply(Uint8Array.of(0, 3, ...random(3 * 132)))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
    const body = random(50)
    expect(wire.decodeRosterReply(wire.encodeRosterReply(body))).toEqual(body)
    expect(wire.decodeRosterReply(wire.encodeRosterReply())).toBeUndefined()
    wire.decodeDone(wire.encodeDone())
  })

  it('the bound of roster requests is the largest valid request, and one byte more is refused', () => {
    const largest = wire.encodeRosterRequest({ op: 'submit', message: random(wire.GOSSIP_MAX_BYTES) })
    expect(largest).toHaveLength(32_770)
    expect(wire.ROSTER_PROTOCOL.requestMaxBytes).toBe(32_770)
    expect(wire.decodeRosterRequest(largest)).toMatchObject({ op: 'submit' })
    expect(() => wire.decodeRosterRequest(Uint8Array.of(...largest, 0))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
  })

  it('a roster request that is cut, too long, garbled, of another version or without an operation is refused', () => {
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'get', height: 7 }), wire.decodeRosterRequest)
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'body', hash: random(32) }), wire.decodeRosterRequest)
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'news', height: 7, epoch: 1 }), wire.decodeRosterRequest)
    refusesCutAndLong(
      wire.encodeRosterRequest({ op: 'named', form: 'step', roster: random(8) }),
      wire.decodeRosterRequest,
    )
    expect(() => wire.decodeRosterRequest(Uint8Array.of(1, 6, 2, ...random(8)))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
    refusesCutAndLong(wire.encodePoolReply([random(3), random(4)]), wire.decodePoolReply)
    refusesCutAndLong(wire.encodeTimeReply({ time: 5, federation: new Uint8Array(32) }), wire.decodeTimeReply)
    neverThrowsAnythingElse(wire.encodeRosterRequest({ op: 'pool' }), wire.decodeRosterRequest)
    neverThrowsAnythingElse(wire.encodePoolReply([random(3), random(4)]), wire.decodePoolReply)
    const long = wire.encodeRosterRequest({ op: 'submit', message: random(wire.GOSSIP_MAX_BYTES + 1) })
    expect(() => wire.decodeRosterRequest(long)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    expect(() => wire.decodeRosterRequest(Uint8Array.of(2, 0, 0, 0, 0, 0))).toThrow(
      expect.objectContaining({ code: 'VERSION_UNKNOWN' }),
    )
    expect(() => wire.decodeRosterRequest(Uint8Array.of(1, 10))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
  })
})

describe('a news reply', () => {
  const pin = (epoch: number): wire.Pin => ({ epoch, roster: random(32), signature: random(64) })

  it('a news reply carries pins and a step, or pins alone', () => {
    const pins = [pin(3), pin(4), pin(9)]
    for (const step of [undefined, random(70)]) {
      expect(wire.decodeNewsReply(wire.encodeNewsReply({ pins, step }))).toEqual({ pins, step })
    }
    expect(wire.decodeNewsReply(wire.encodeNewsReply({ pins: [], step: undefined })).pins).toEqual([])
  })

  it('a news reply with the largest step and too many pins has the newest pins and fits its frame', () => {
    const pins = Array.from({ length: wire.PINS_MAX + 5 }, (_, i) => pin(i))
    const reply = wire.encodeNewsReply({ pins, step: new Uint8Array(wire.ROSTER_MAX_BYTES) })
    expect(reply.length).toBeLessThanOrEqual(wire.ROSTER_PROTOCOL.replyMaxBytes)
    expect(wire.decodeNewsReply(reply).pins).toEqual(pins.slice(5))
  })

  it('a news reply with pins out of order, a repeated epoch, or too many pins is refused', () => {
    const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
    for (const pins of [
      [pin(4), pin(3)],
      [pin(3), pin(3)],
    ]) {
      expect(() => wire.decodeNewsReply(wire.encodeNewsReply({ pins, step: undefined }))).toThrow(malformed)
    }
    const many = Uint8Array.of(0, wire.PINS_MAX + 1, ...new Uint8Array((wire.PINS_MAX + 1) * wire.PIN_BYTES))
    expect(() => wire.decodeNewsReply(many)).toThrow(malformed)
    expect(() => wire.decodeNewsReply(Uint8Array.of(0, 1, 2))).toThrow(malformed)
  })
})

describe('a pool reply', () => {
  it('a pool reply carries the first messages that fit its frame', () => {
    const messages = Array.from({ length: 12 }, () => random(wire.GOSSIP_MAX_BYTES))
    const reply = wire.encodePoolReply(messages)
    expect(reply.length).toBeLessThanOrEqual(wire.ROSTER_PROTOCOL.replyMaxBytes)
    const read = wire.decodePoolReply(reply)
    expect(read.length).toBe(8)
    expect(read.every((message, i) => wire.equalBytes(message, messages[i]!))).toBe(true)
  })
})
