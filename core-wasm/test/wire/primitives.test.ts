import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../src/wire/index.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

describe('the salt window', () => {
  const sizes = wire.BLOCK_SIZES_MIN
  const min = wire.MINUTE_MS
  it('opens the current block and the next, of every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.constantFrom(...sizes), (now, size) => {
        const n = Math.floor(now / (size * min))
        expect(wire.blockToState(size, n, now)).toBe('open')
        expect(wire.blockToState(size, n + 1, now)).toBe('open')
      }),
    )
  })
  it('refuses the block that ended exactly one window ago and admits it one millisecond before', () => {
    for (const size of sizes) {
      const end = (1_000 + 1) * size * min
      expect(wire.blockToState(size, 1_000, end + wire.SALT_WINDOW_MS)).toBe('too-old')
      expect(wire.blockToState(size, 1_000, end + wire.SALT_WINDOW_MS - 1)).toBe('open')
    }
  })
  it('refuses a block that starts beyond its size and two minutes, and admits it at the edge', () => {
    for (const size of sizes) {
      const start = 1_000 * size * min
      expect(wire.blockToState(size, 1_000, start - size * min - wire.SALT_AHEAD_MS)).toBe('open')
      expect(wire.blockToState(size, 1_000, start - size * min - wire.SALT_AHEAD_MS - 1)).toBe('too-new')
    }
  })
  it('lies inside the life of the epoch that holds the block', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1e9, max: 2 ** 42 }),
        fc.constantFrom(...sizes),
        fc.integer({ min: -60, max: 20 }),
        (now, size, d) => {
          const n = Math.floor(now / (size * min)) + d
          if (wire.blockToState(size, n, now) !== 'open') return
          const { from, to } = wire.epochToSecretSpan(wire.blockToEpoch(size, n))
          expect(now).toBeGreaterThanOrEqual(from)
          expect(now).toBeLessThan(to)
        },
      ),
      { numRuns: 2000 },
    )
  })
  it('touches at most five epochs and never needs more than 90 salts for three hours of fixes', () => {
    let [epochs, salts] = [0, 0]
    for (let offset = 0; offset < 80; offset++) {
      const now = (100_000 * 80 + offset) * min
      const open = new Set<number>()
      for (const size of sizes) {
        const around = Math.floor(now / (size * min))
        for (let n = around - 60; n < around + 4; n++)
          if (wire.blockToState(size, n, now) === 'open') open.add(wire.blockToEpoch(size, n))
      }
      epochs = Math.max(epochs, open.size)
      const need = new Set<string>()
      for (let at = now - 175 * min; at <= now; at += 5 * min) {
        for (const size of sizes) for (const lag of [0, 1]) need.add(`${size}/${Math.floor(at / (size * min)) + lag}`)
      }
      salts = Math.max(salts, need.size)
    }
    expect(epochs).toBeLessThanOrEqual(wire.EPOCHS_PER_ANSWER_MAX)
    expect(salts).toBeLessThanOrEqual(wire.SALTS_PER_REQUEST_MAX)
  })
})

describe('the quota of one requester and shard', () => {
  it('never binds: all that can be asked at a moment is in it, and it refills faster than blocks come', () => {
    const start = Date.UTC(2026, 10, 21)
    const open = (nowMs: number): string[] =>
      wire.BLOCK_SIZES_MIN.flatMap((size) => {
        const first = Math.floor((nowMs - wire.SALT_WINDOW_MS) / (size * wire.MINUTE_MS)) - 1
        const blocks = Array.from({ length: wire.SALT_WINDOW_MS / (size * wire.MINUTE_MS) + 6 }, (_, i) => first + i)
        const verdicts = blocks.map((n) => wire.blockToState(size, n, nowMs))
        if (verdicts[0] !== 'too-old' || verdicts.at(-1) !== 'too-new') throw new Error('there may be more')
        return blocks.filter((_, i) => verdicts[i] === 'open').map((n) => `${size}/${n}`)
      })
    const moments = Array.from({ length: 80 }, (_, minute) => start + minute * wire.MINUTE_MS)
    expect(Math.max(...moments.map((at) => open(at).length))).toBe(84)
    // Whoever takes all there is from the first minute on, for eight hours, whatever the alignment.
    const refillMs = wire.SALT_WINDOW_MS / wire.SALTS_PER_REQUEST_MAX
    for (const from of moments) {
      const had = new Set<string>()
      let least = Number.POSITIVE_INFINITY
      for (let at = from; at < from + 8 * 60 * wire.MINUTE_MS; at += 5 * wire.MINUTE_MS) {
        for (const block of open(at)) had.add(block)
        least = Math.min(least, wire.SALTS_PER_REQUEST_MAX + (at - from) / refillMs - had.size)
      }
      expect(least).toBeGreaterThanOrEqual(6)
    }
  })
})

describe('an epoch', () => {
  it('holds 31 blocks, each at its own position', () => {
    const blocks = wire.epochToBlocks(20_000)
    expect(blocks).toHaveLength(wire.BLOCKS_PER_EPOCH)
    expect(blocks.map(({ size, n }) => wire.blockToPosition(size, n))).toEqual(blocks.map((_, i) => i))
    expect(blocks.every(({ size, n }) => wire.blockToEpoch(size, n) === 20_000)).toBe(true)
    expect(wire.EPOCHS_PER_DAY * wire.EPOCH_MIN).toBe(1440)
    for (const size of wire.BLOCK_SIZES_MIN) expect(wire.EPOCH_MIN % size).toBe(0)
  })
})

describe('a Merkle tree', () => {
  const naive = (lines: Uint8Array[]): Uint8Array => {
    let level = lines.map((line) => sha(Uint8Array.of(0), line))
    while (Math.log2(level.length) % 1 !== 0) level.push(sha(Uint8Array.of(0), new Uint8Array(32)))
    while (level.length > 1)
      level = level.filter((_, i) => i % 2 === 0).map((left, i) => sha(Uint8Array.of(1), left, level[2 * i + 1]!))
    return level[0]!
  }
  it('has the root of a plain model, and each line its path and no other place', () => {
    for (const count of [1, 2, 3, 5, 8, 22, 144]) {
      const lines = Array.from({ length: count }, (_, i) => sha(Buffer.from(`line ${i}`)))
      const tree = wire.linesToTree(new Uint8Array(Buffer.concat(lines)))
      const root = wire.treeToRoot(tree)
      expect(Buffer.from(root)).toEqual(Buffer.from(naive(lines)))
      for (let i = 0; i < count; i++) {
        const path = wire.treeToPath(tree, i)
        expect(wire.isValidPath(lines[i]!, i, count, path, root)).toBe(true)
        expect(wire.isValidPath(lines[i]!, i ^ 1, count, path, root)).toBe(false)
        expect(wire.isValidPath(lines[i]!, i, count, [...path, root], root)).toBe(false)
        expect(wire.isValidPath(sha(Buffer.from('other')), i, count, path, root)).toBe(false)
      }
      expect(wire.isValidPath(lines[0]!, count, count, wire.treeToPath(tree, 0), root)).toBe(false)
    }
    expect(() => wire.linesToTree(new Uint8Array(0))).toThrow(RangeError)
  })
})

describe('a signature', () => {
  it('is Ed25519 as RFC 8032 §7.1 test 1 has the key', () => {
    const secret = wire.hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    expect(wire.bytesToHex(wire.secretToSigner(secret).key)).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
    expect(wire.bytesToHex(wire.secretToSigner(secret).sign(new Uint8Array(0)))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })
  it('of one domain, content or key serves no other', () => {
    const signer = wire.secretToSigner(new Uint8Array(32).fill(1))
    const other = wire.secretToSigner(new Uint8Array(32).fill(2))
    const content = wire.utf8('content')
    const signature = wire.signContent(signer, 'geotrace/vote', content)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', content, signature)).toBe(true)
    expect(wire.isValidSignature(signer.key, 'geotrace/sheet', content, signature)).toBe(false)
    expect(wire.isValidSignature(other.key, 'geotrace/vote', content, signature)).toBe(false)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', wire.utf8('contenu'), signature)).toBe(false)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', content, signature.slice(1))).toBe(false)
  })
})

describe('a peer id', () => {
  it('is the one that libp2p makes of the key', async () => {
    for (let i = 0; i < 20; i++) {
      const seed = sha(Buffer.from(`peer ${i}`))
      const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(seed))
      const ours = wire.keyToPeerId(wire.secretToSigner(new Uint8Array(seed)).key)
      expect(ours).toBe(peerIdFromPrivateKey(key).toString())
      expect(wire.peerIdToKey(ours)).toEqual(wire.secretToSigner(new Uint8Array(seed)).key)
    }
    expect(wire.isValidPeerId('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N')).toBe(false)
    expect(wire.isValidPeerId('0OIl')).toBe(false)
  })
})

describe('bytes in hex', () => {
  it('are as the host writes them, of any length, and read back', () => {
    for (const length of [0, 1, 12, 32, 4_095, 4_096, 4_097, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 151) % 256)
      expect(wire.bytesToHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      expect(wire.hexToBytes(wire.bytesToHex(bytes))).toEqual(bytes)
    }
  })
})

describe('cursors over bytes', () => {
  it('refuse to read past the end, to write past the bound, and numbers that do not fit', () => {
    expect(() => wire.byteReader(new Uint8Array(3)).u32()).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
    expect(() => wire.byteReader(new Uint8Array(8).fill(255)).time()).toThrow(wire.FederationError)
    expect(() => wire.byteWriter(3).u32(1)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u8(256)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u8(-1)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u16(1.5)).toThrow(RangeError)
    expect(() => wire.hexToBytes('0G')).toThrow(TypeError)
  })

  it('write a message of any length up to the bound, whatever the steps', () => {
    for (const length of [0, 1, 1_023, 1_024, 1_025, 2_047, 3_000, 10_000]) {
      const message = Uint8Array.from({ length }, (_, i) => i * 7)
      const bytewise = wire.byteWriter(10_000)
      for (const byte of message) bytewise.u8(byte)
      expect(bytewise.finish()).toEqual(message)
      const halves = wire
        .byteWriter(length)
        .bytes(message.subarray(0, length >> 1))
        .bytes(message.subarray(length >> 1))
      expect(halves.finish()).toEqual(message)
      expect(() => halves.u8(1)).toThrow(RangeError)
      expect(halves.finish()).toEqual(message)
    }
  })
})

describe('a commitment', () => {
  it('is SHA-256 of the domain string, size, n and salt, and a line that of 31 of them', () => {
    const salt = sha(Buffer.from('a salt'))
    const head = Buffer.from([40, 0x01, 0x02, 0x03, 0x04])
    expect(Buffer.from(wire.saltToCommitment(40, 0x01020304, salt))).toEqual(
      sha(Buffer.from('geotrace/commit'), head, salt),
    )
    const commitments = Array.from({ length: 31 }, (_, i) => sha(Buffer.from(`commitment ${i}`)))
    expect(Buffer.from(wire.commitmentsToLine(new Uint8Array(Buffer.concat(commitments))))).toEqual(sha(...commitments))
    expect(() => wire.commitmentsToLine(new Uint8Array(30 * 32))).toThrow(RangeError)
  })
})
