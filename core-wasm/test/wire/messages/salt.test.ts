import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const roster = new Uint8Array(8).fill(7)
const blocks = [5, 10, 20, 40, 80].flatMap((size) => Array.from({ length: 18 }, (_, i) => ({ size, n: 4_000_000 + i })))

describe('a salt request', () => {
  const bytes = wire.encodeSaltRequest({ roster, shard: 258, blocks })

  it('a salt request has the layout of PROTOCOL.md §7.1', () => {
    const one = wire.encodeSaltRequest({ roster, shard: 258, blocks: [{ size: 80, n: 0x01020304 }] })
    expect(wire.bytesToHex(one)).toBe(`0100${'07'.repeat(8)}0102015001020304`)
    expect(bytes.length).toBe(13 + 90 * 5)
    expect(bytes.length).toBeLessThanOrEqual(wire.SALT_REQUEST_MAX_BYTES)
  })

  it('a salt request decodes from its bytes unchanged', () => {
    expect(wire.decodeSaltRequest(bytes)).toEqual({ roster, shard: 258, blocks })
  })

  it('a salt request that is cut, too long or garbled is refused', () => {
    refusesCutAndLong(bytes, wire.decodeSaltRequest)
    neverThrowsAnythingElse(bytes, wire.decodeSaltRequest)
  })

  it('both ends refuse a salt request with 0 or 91 blocks', () => {
    expect(() => wire.encodeSaltRequest({ roster, shard: 0, blocks: [] })).toThrow(RangeError)
    const many = [...blocks, { size: 80, n: 5_000_000 }]
    expect(() => wire.encodeSaltRequest({ roster, shard: 0, blocks: many })).toThrow(RangeError)
    for (const count of [0, 91, 255]) {
      const forged = bytes.slice()
      forged[12] = count
      expect(() => wire.decodeSaltRequest(forged)).toThrow(
        expect.objectContaining({ code: 'TOO_MANY_SALTS', data: { count } }),
      )
    }
  })

  it('a salt request with another version, suite or size, or with unordered or repeated blocks, is refused', () => {
    const forge = (at: number, value: number) => {
      const copy = bytes.slice()
      copy[at] = value
      return () => wire.decodeSaltRequest(copy)
    }
    expect(forge(0, 2)).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }))
    expect(forge(1, 1)).toThrow(expect.objectContaining({ code: 'SUITE_UNKNOWN', data: { suite: 1 } }))
    expect(forge(13, 6)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    const twice = bytes.slice()
    twice.set(twice.slice(13, 18), 18)
    expect(() => wire.decodeSaltRequest(twice)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    expect(() => wire.encodeSaltRequest({ roster, shard: 0, blocks: [blocks[1]!, blocks[0]!] })).toThrow(RangeError)
  })
})

describe('a refusal', () => {
  it('a refusal carries a status and one number and becomes the same error again', () => {
    const errors = [
      new wire.FederationError('QUOTA_SPENT', '', { retryAfterMs: 61_500 }),
      new wire.FederationError('WRONG_SHARD', '', { shard: 3 }),
      new wire.FederationError('BLOCK_TOO_OLD', '', { block: 12 }),
      new wire.FederationError('BLOCK_TOO_NEW', '', { block: 12 }),
      new wire.FederationError('EPOCH_LOST', '', { epoch: 9 }),
      new wire.FederationError('ROSTER_UNKNOWN', ''),
      new wire.FederationError('FORBIDDEN', ''),
    ]
    for (const error of errors) {
      const bytes = wire.encodeRefusal(wire.errorToRefusal(error))
      expect(bytes.length).toBe(5)
      expect(() => wire.decodeSaltAnswer(bytes)).toThrow(expect.objectContaining({ code: error.code }))
    }
    expect(() => wire.decodeSaltAnswer(wire.encodeRefusal(wire.errorToRefusal(errors[0])))).toThrow(
      expect.objectContaining({ data: { retryAfterMs: 62_000 } }),
    )
  })

  it('a refusal does not reveal an internal error', () => {
    expect(wire.errorToRefusal(new Error('secret path'))).toEqual({ status: 255, number: 0 })
    expect(wire.errorToRefusal(new wire.FederationError('STORE_LOCKED', '', { dir: '/x' }))).toEqual({
      status: 255,
      number: 0,
    })
  })
})
