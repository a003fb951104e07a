import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const roster = new Uint8Array(8).fill(7)
const element = (n: number) => new Uint8Array(32).fill(n)
const batch = (size: number, from = 1) => Array.from({ length: size }, (_, i) => element(from + i))
const code = (name: string, data: object = {}) =>
  expect.objectContaining({ code: name, data: expect.objectContaining(data) })
const REQUEST: wire.EvaluateRequest = {
  roster,
  shard: 258,
  wantsKeys: true,
  epochs: [9, 10],
  elements: [batch(3), batch(3, 40)],
}
const partKeys = { keys: batch(10, 100), path: batch(2, 200) }
const ANSWER = {
  time: 1_700_000_000_000,
  epochs: [1, 2].map((n) => ({ evaluated: batch(3, n), proof: new Uint8Array(64).fill(n), partKeys })),
}

describe('an evaluate request', () => {
  const bytes = wire.encodeEvaluateRequest(REQUEST)

  it('an evaluate request has the layout of PROTOCOL.md §7.7', () => {
    const one = wire.encodeEvaluateRequest({ ...REQUEST, epochs: [0x01020304], elements: [[element(0xee)]] })
    expect(wire.bytesToHex(one)).toBe(`0101${'07'.repeat(8)}0102010101${'01020304'}${'ee'.repeat(32)}`)
    expect(wire.encodeEvaluateRequest({ ...REQUEST, elements: [batch(12), batch(12)] }).length).toBe(791)
    expect(
      wire.encodeEvaluateRequest({ ...REQUEST, epochs: [1, 2, 3], elements: [1, 2, 3].map(() => batch(36)) }).length,
    ).toBe(3_483)
  })

  it('an evaluate request decodes from its bytes unchanged, with and without the wish for keys', () => {
    expect(wire.decodeEvaluateRequest(bytes)).toEqual(REQUEST)
    const plain = { ...REQUEST, wantsKeys: false }
    expect(wire.decodeEvaluateRequest(wire.encodeEvaluateRequest(plain))).toEqual(plain)
  })

  it('a token of 354 bytes follows the elements, and bit 1 of the flags says so', () => {
    const token = new Uint8Array(wire.TOKEN_BYTES).fill(0xcc)
    const frame = wire.encodeEvaluateRequest({ ...REQUEST, token })
    expect(frame.subarray(0, bytes.length)).toEqual(bytes.map((byte, i) => (i === 12 ? 3 : byte)))
    expect(frame.subarray(bytes.length)).toEqual(token)
    expect(wire.decodeEvaluateRequest(frame)).toEqual({ ...REQUEST, token })
    refusesCutAndLong(frame, wire.decodeEvaluateRequest)
    expect(() => wire.encodeEvaluateRequest({ ...REQUEST, token: new Uint8Array(353) })).toThrow(RangeError)
  })

  it('the largest request and the largest answer fit their bounds', () => {
    const epochs = [1, 2, 3, 4, 5]
    const token = new Uint8Array(wire.TOKEN_BYTES)
    const largest = wire.encodeEvaluateRequest({ ...REQUEST, epochs, elements: epochs.map(() => batch(36)), token })
    expect(largest.length).toBe(6_149)
    expect(largest.length).toBeLessThanOrEqual(wire.EVALUATE_REQUEST_MAX_BYTES)
    const keys = { keys: batch(wire.PARTS_MAX), path: batch(wire.PATH_MAX) }
    const epoch = { evaluated: batch(36), proof: new Uint8Array(64), partKeys: keys }
    const answer = wire.encodeUnsignedEvaluation({ time: 0, epochs: epochs.map(() => epoch) })
    expect(answer.length + 64).toBe(14_318)
    expect(answer.length + 64).toBeLessThanOrEqual(wire.EVALUATE_ANSWER_MAX_BYTES)
    const evidence = wire.encodeEvidence({
      kind: 'evaluation',
      key: element(1),
      request: largest,
      answer: wire.concatBytes(answer, new Uint8Array(64)),
      epoch: 0xffffffff,
      partKeys: keys,
    })
    expect(evidence.length).toBeLessThanOrEqual(wire.EVIDENCE_MAX_BYTES)
    const { requestMaxBytes, replyMaxBytes } = wire.EVALUATE_PROTOCOL
    expect([requestMaxBytes, replyMaxBytes]).toEqual([wire.EVALUATE_REQUEST_MAX_BYTES, wire.EVALUATE_ANSWER_MAX_BYTES])
  })

  it('an evaluate request that is cut, too long or garbled is refused', () => {
    refusesCutAndLong(bytes, wire.decodeEvaluateRequest)
    neverThrowsAnythingElse(bytes, wire.decodeEvaluateRequest)
  })

  it('an evaluate request with another version, suite or flag, or with unordered epochs, is refused', () => {
    const forge = (at: number, value: number) => {
      const copy = bytes.slice()
      copy[at] = value
      return () => wire.decodeEvaluateRequest(copy)
    }
    expect(forge(0, 2)).toThrow(code('VERSION_UNKNOWN'))
    expect(forge(1, 0)).toThrow(code('SUITE_UNKNOWN', { suite: 0 }))
    expect(forge(12, 2)).toThrow(code('MESSAGE_MALFORMED'))
    expect(forge(12, 4)).toThrow(code('MESSAGE_MALFORMED'))
    expect(forge(14, 0)).toThrow(code('MESSAGE_MALFORMED'))
    expect(forge(14, 6)).toThrow(code('MESSAGE_MALFORMED'))
    expect(forge(18, 10)).toThrow(code('MESSAGE_MALFORMED'))
    expect(forge(18, 11)).toThrow(code('MESSAGE_MALFORMED'))
  })

  it('both ends refuse a batch of 0 or 37 elements, and unequal batches', () => {
    const of = (elements: Uint8Array[][]) => () => wire.encodeEvaluateRequest({ ...REQUEST, elements })
    for (const elements of [[], [[], []], [batch(37), batch(37)], [batch(2), batch(3)], [batch(3)]]) {
      expect(of(elements)).toThrow(RangeError)
    }
    expect(() => wire.encodeEvaluateRequest({ ...REQUEST, epochs: [10, 9] })).toThrow(RangeError)
    for (const count of [0, 37, 255]) {
      const forged = bytes.slice()
      forged[13] = count
      expect(() => wire.decodeEvaluateRequest(forged)).toThrow(code('BATCH_REFUSED', { count }))
    }
    const more = bytes.slice()
    more[13] = 4
    expect(() => wire.decodeEvaluateRequest(more)).toThrow(code('MESSAGE_MALFORMED'))
  })
})

describe('an evaluate answer', () => {
  const shape = wire.requestToShape(REQUEST, 10)
  const bytes = wire.concatBytes(wire.encodeUnsignedEvaluation(ANSWER), new Uint8Array(64).fill(9))
  const decode = (frame: Uint8Array) => wire.decodeEvaluateAnswer(frame, shape)

  it('an evaluate answer decodes to what was encoded, with and without part keys', () => {
    expect(decode(bytes)).toEqual({ ...ANSWER, signature: new Uint8Array(64).fill(9), unsigned: bytes.slice(0, -64) })
    const bare = { ...ANSWER, epochs: ANSWER.epochs.map((epoch) => ({ ...epoch, partKeys: undefined })) }
    const frame = wire.concatBytes(wire.encodeUnsignedEvaluation(bare), new Uint8Array(64))
    const without = wire.requestToShape({ ...REQUEST, wantsKeys: false }, 10)
    expect(wire.decodeEvaluateAnswer(frame, without)).toMatchObject(bare)
    expect(frame.length).toBe(1 + 8 + 2 * (3 * 32 + 64) + 64)
    expect(bytes.length).toBe(frame.length + 2 * (10 * 32 + 1 + 2 * 32))
  })

  it('an evaluate answer that is cut, too long, garbled or of another shape is refused', () => {
    refusesCutAndLong(bytes, decode)
    neverThrowsAnythingElse(bytes, decode)
    for (const other of [
      { ...shape, epochs: 1 },
      { ...shape, batch: 4 },
      { ...shape, keys: 0 },
    ]) {
      expect(() => wire.decodeEvaluateAnswer(bytes, other)).toThrow(code('MESSAGE_MALFORMED'))
    }
  })

  it('the refusals BATCH_REFUSED and NOT_ALLOWED travel as a status and a number', () => {
    const refusal = (error: Error) => wire.encodeRefusal(wire.errorToRefusal(error))
    expect(wire.bytesToHex(refusal(wire.batchRefused(13)))).toBe('0f0000000d')
    expect(() => decode(refusal(wire.batchRefused(13)))).toThrow(code('BATCH_REFUSED', { count: 13 }))
    const notAllowed = refusal(new wire.FederationError('NOT_ALLOWED', ''))
    expect(wire.bytesToHex(notAllowed)).toBe('1200000000')
    expect(() => decode(notAllowed)).toThrow(expect.objectContaining({ code: 'NOT_ALLOWED' }))
  })
})

describe('the number of parts', () => {
  it('the number of parts is the binomial coefficient of R over t − 1', () => {
    const pascal = (n: number, k: number): number => (k === 0 || k === n ? 1 : pascal(n - 1, k - 1) + pascal(n - 1, k))
    for (let replicas = 1; replicas <= 15; replicas++) {
      for (let threshold = 1; threshold <= replicas; threshold++) {
        expect(wire.partCount(replicas, threshold)).toBe(pascal(replicas, threshold - 1))
      }
    }
  })
})
