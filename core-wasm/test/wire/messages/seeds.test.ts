import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))

describe('seeds messages', () => {
  const seed = { epoch: 5, state: random(32), quotaKey: random(32) }
  it('seeds requests and replies decode from their bytes unchanged', () => {
    for (const request of [
      { op: 'offer', shard: 2, firstEpoch: 11, seed },
      { op: 'fetch', shard: 2, firstEpoch: 11 },
    ] as wire.SeedsRequest[]) {
      expect(wire.decodeSeedsRequest(wire.encodeSeedsRequest(request))).toEqual(request)
    }
    expect(wire.decodeSeedReply(wire.encodeSeedReply(seed))).toEqual(seed)
  })

  it('a seeds message that is cut, too long or garbled is refused', () => {
    const offer = wire.encodeSeedsRequest({ op: 'offer', shard: 2, firstEpoch: 11, seed })
    refusesCutAndLong(offer, wire.decodeSeedsRequest)
    refusesCutAndLong(wire.encodeSeedReply(seed), wire.decodeSeedReply)
    neverThrowsAnythingElse(offer, wire.decodeSeedsRequest)
  })
})
