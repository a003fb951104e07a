import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as wire from '../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from './hostile.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))

describe('roster messages', () => {
  it('come back as they went', () => {
    const requests: wire.RosterRequest[] = [
      { op: 'get', height: 7 },
      { op: 'sheets' },
      { op: 'vote', proposal: random(300) },
      { op: 'certify', certified: random(300) },
      { op: 'time' },
    ]
    for (const request of requests) expect(wire.decodeRosterRequest(wire.encodeRosterRequest(request))).toEqual(request)
    const sheets = [{ shard: 4, root: random(32), signature: random(64) }]
    expect(wire.decodeSheetsReply(wire.encodeSheetsReply(sheets))).toEqual(sheets)
    const vote = { operator: 3, signature: random(64) }
    expect(wire.decodeVoteReply(wire.encodeVoteReply(vote))).toEqual(vote)
    expect(wire.decodeTimeReply(wire.encodeTimeReply(123_456))).toBe(123_456)
    const body = random(50)
    expect(wire.decodeRosterReply(wire.encodeRosterReply(body))).toEqual(body)
    expect(wire.decodeRosterReply(wire.encodeRosterReply())).toBeUndefined()
    wire.decodeDone(wire.encodeDone())
  })

  it('are refused when cut, too long, garbled, of another version or without an operation', () => {
    refusesCutAndLong(wire.encodeRosterRequest({ op: 'get', height: 7 }), wire.decodeRosterRequest)
    refusesCutAndLong(
      wire.encodeSheetsReply([{ shard: 1, root: random(32), signature: random(64) }]),
      wire.decodeSheetsReply,
    )
    refusesCutAndLong(wire.encodeVoteReply({ operator: 3, signature: random(64) }), wire.decodeVoteReply)
    refusesCutAndLong(wire.encodeTimeReply(5), wire.decodeTimeReply)
    neverThrowsAnythingElse(wire.encodeRosterRequest({ op: 'sheets' }), wire.decodeRosterRequest)
    expect(() => wire.decodeRosterRequest(Uint8Array.of(2, 0, 0, 0, 0, 0))).toThrow(
      expect.objectContaining({ code: 'VERSION_UNKNOWN' }),
    )
    expect(() => wire.decodeRosterRequest(Uint8Array.of(1, 9))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
  })
})

describe('seeds messages', () => {
  const seed = { epoch: 5, state: random(32), quotaKey: random(32) }
  it('come back as they went', () => {
    for (const request of [
      { op: 'offer', shard: 2, firstEpoch: 11, seed },
      { op: 'fetch', shard: 2, firstEpoch: 11 },
    ] as wire.SeedsRequest[]) {
      expect(wire.decodeSeedsRequest(wire.encodeSeedsRequest(request))).toEqual(request)
    }
    expect(wire.decodeSeedReply(wire.encodeSeedReply(seed))).toEqual(seed)
  })

  it('are refused when cut, too long or garbled', () => {
    const offer = wire.encodeSeedsRequest({ op: 'offer', shard: 2, firstEpoch: 11, seed })
    refusesCutAndLong(offer, wire.decodeSeedsRequest)
    refusesCutAndLong(wire.encodeSeedReply(seed), wire.decodeSeedReply)
    neverThrowsAnythingElse(offer, wire.decodeSeedsRequest)
  })
})
