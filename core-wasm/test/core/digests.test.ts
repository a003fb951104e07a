import { createHash, createHmac } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { loadCore } from '../../src/index.ts'
import { randomBytes, seeded } from '../../src/testing/index.ts'

const LENGTH_MAX = 130
const text = (value: string) => new TextEncoder().encode(value)
const nodeSha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** RFC 4231 §4.2–4.8: key, data, HMAC-SHA256. The RFC cuts case 5 to 128 bits. */
const RFC_4231: readonly [key: Uint8Array, data: Uint8Array, hmac: string][] = [
  [new Uint8Array(20).fill(0x0b), text('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    text('Jefe'),
    text('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    new Uint8Array(20).fill(0xaa),
    new Uint8Array(50).fill(0xdd),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    Uint8Array.from({ length: 25 }, (_, i) => i + 1),
    new Uint8Array(50).fill(0xcd),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [new Uint8Array(20).fill(0x0c), text('Test With Truncation'), 'a3b6167473100ee06e0c796c2955552b'],
  [
    new Uint8Array(131).fill(0xaa),
    text('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    new Uint8Array(131).fill(0xaa),
    text(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
]

describe.each(['simd', 'scalar'] as const)('SHA-256 (%s build)', async (build) => {
  const core = await loadCore({ build })

  it('SHA-256 has the digests of FIPS 180-2 for "abc", two blocks and an empty message', () => {
    const digest = (message: string) => bytesToHex(core.sha256Batch(text(message), message.length))
    expect(digest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(digest('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    )
    expect(digest('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('SHA-256 equals node:crypto and noble for lengths 0 … 130 in every lane of batches of 0 … 9', () => {
    const random = seeded(21)
    for (let length = 0; length <= LENGTH_MAX; length++) {
      for (let count = length === 0 ? 1 : 0; count <= (length === 0 ? 1 : 9); count++) {
        const messages = Array.from({ length: count }, () => randomBytes(random, length))
        const digests = bytesToHex(core.sha256Batch(joined(messages), length))
        expect(digests).toBe(messages.map(nodeSha256).join(''))
        expect(digests).toBe(messages.map((message) => bytesToHex(sha256(message))).join(''))
      }
    }
  })

  it('SHA-256 hashes messages up to the size of the area, and batches of many chunks', () => {
    const random = seeded(22)
    const cases = [
      [16_384, 3],
      [16_383, 2],
      [5_000, 7],
      [1, 1_000],
      [64, 600],
    ] as const
    for (const [length, count] of cases) {
      const messages = Array.from({ length: count }, () => randomBytes(random, length))
      expect(bytesToHex(core.sha256Batch(joined(messages), length))).toBe(messages.map(nodeSha256).join(''))
    }
  })

  it.each(RFC_4231)('HMAC-SHA256 has the result of RFC 4231, case %#', (key, data, hmac) => {
    expect(bytesToHex(core.hmacBatch(key, data, data.length)).slice(0, hmac.length)).toBe(hmac)
  })

  it('HMAC-SHA256 equals node:crypto for keys of 0 … 130 bytes and batches of 0 … 9', () => {
    const random = seeded(23)
    for (let length = 0; length <= LENGTH_MAX; length++) {
      const key = randomBytes(random, length)
      const messages = Array.from({ length: length % 10 }, () => randomBytes(random, length + 1))
      const wanted = messages.map((message) => createHmac('sha256', key).update(message).digest('hex'))
      expect(bytesToHex(core.hmacBatch(key, joined(messages), length + 1))).toBe(wanted.join(''))
    }
  })
})

function joined(messages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...message]))
}
