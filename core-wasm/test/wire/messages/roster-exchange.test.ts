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
    ]
    for (const request of requests) expect(wire.decodeRosterRequest(wire.encodeRosterRequest(request))).toEqual(request)
    const messages = [random(0), random(1), random(300)]
    expect(wire.decodePoolReply(wire.encodePoolReply(messages))).toEqual(messages)
    expect(wire.decodeTimeReply(wire.encodeTimeReply(123_456))).toBe(123_456)
    const body = random(50)
    expect(wire.decodeRosterReply(wire.encodeRosterReply(body))).toEqual(body)
    expect(wire.decodeRosterReply(wire.encodeRosterReply())).toBeUndefined()
    wire.decodeDone(wire.encodeDone())
  })

  it('a roster request that is cut, too long, garbled, of another version or without an operation is refused', () => {
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'get', height: 7 }), wire.decodeRosterRequest)
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'body', hash: random(32) }), wire.decodeRosterRequest)
    refusesCutAndLong(wire.encodePoolReply([random(3), random(4)]), wire.decodePoolReply)
    refusesCutAndLong(wire.encodeTimeReply(5), wire.decodeTimeReply)
    neverThrowsAnythingElse(wire.encodeRosterRequest({ op: 'pool' }), wire.decodeRosterRequest)
    neverThrowsAnythingElse(wire.encodePoolReply([random(3), random(4)]), wire.decodePoolReply)
    const long = wire.encodeRosterRequest({ op: 'submit', message: random(wire.GOSSIP_MAX_BYTES + 1) })
    expect(() => wire.decodeRosterRequest(long)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    expect(() => wire.decodeRosterRequest(Uint8Array.of(2, 0, 0, 0, 0, 0))).toThrow(
      expect.objectContaining({ code: 'VERSION_UNKNOWN' }),
    )
    expect(() => wire.decodeRosterRequest(Uint8Array.of(1, 9))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
  })
})

describe('a pool reply', () => {
  it('a pool reply carries the first messages that fit its frame', () => {
    const messages = Array.from({ length: 12 }, () => random(wire.GOSSIP_MAX_BYTES))
    const reply = wire.encodePoolReply(messages)
    expect(reply.length).toBeLessThanOrEqual(wire.ROSTER_PROTOCOL.replyMaxBytes)
    const read = wire.decodePoolReply(reply)
    expect(read.length).toBe(7)
    expect(read.every((message, i) => wire.equalBytes(message, messages[i]!))).toBe(true)
  })
})
