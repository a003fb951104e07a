import { compareHashes, RISK_HASH_BYTES } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeRunIndex,
  encodeRunIndex,
  findNumbers,
  hashToBuckets,
  KEPT_BYTES,
  PAIR_BYTES,
  pairsToBuckets,
  pairsToFences,
} from '../../../src/central/store/run-bucket.ts'

/** Few different bytes, so that hashes are equal, share prefixes and lie at both ends. */
const anyHash = fc
  .tuple(fc.nat(3), fc.constantFrom(0, 5, 6, 7, 11), fc.constantFrom(0, 1, 255))
  .map(([first, at, byte]) => {
    const hash = new Uint8Array(RISK_HASH_BYTES)
    hash[0] = first
    hash[at] = byte
    return hash
  })
const toStart = (hash: Uint8Array) => hash.subarray(0, KEPT_BYTES)
const anyUser = fc.oneof(fc.nat(255), fc.nat(70_000), fc.nat(0xffffffff))
const anyRow = fc.record({ hash: anyHash, user: anyUser })

describe('the buckets of a run', () => {
  it('a search in a run finds the users of each start of a hash and no others, however many rows share one', () => {
    let manyBuckets = 0
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 700, size: 'max' }), anyHash, (rows, other) => {
        const sorted = [...rows].sort((a, b) => compareHashes(a.hash, b.hash))
        const pairs = Buffer.alloc(sorted.length * PAIR_BYTES)
        for (const [i, { hash, user }] of sorted.entries()) {
          pairs.set(hash.subarray(0, KEPT_BYTES), i * PAIR_BYTES)
          pairs.writeUInt32BE(user, i * PAIR_BYTES + KEPT_BYTES)
        }
        const buckets = [...pairsToBuckets(pairs)]
        const index = decodeRunIndex(encodeRunIndex({ closed: 9, covered: 7, fences: pairsToFences(pairs) }))
        expect([index.closed, index.covered]).toEqual([9, 7])
        if (buckets.length > 2) manyBuckets++
        for (const hash of [other, ...rows.slice(0, 20).map((row) => row.hash)]) {
          const users = new Set<number>()
          const [first, end] = hashToBuckets(index, hash)
          for (const bucket of buckets.slice(first, end)) findNumbers(bucket, [hash], users)
          const wanted = rows
            .filter((row) => Buffer.compare(toStart(row.hash), toStart(hash)) === 0)
            .map(({ user }) => user)
          expect([...users].sort((a, b) => a - b)).toEqual([...new Set(wanted)].sort((a, b) => a - b))
        }
      }),
      { numRuns: 60 },
    )
    expect(manyBuckets).toBeGreaterThan(10)
  })

  it('a row of random hashes among a hundred thousand takes ten bytes', () => {
    const rows = 100_000
    const pairs = Buffer.alloc(rows * PAIR_BYTES)
    for (let i = 0; i < rows; i++) {
      pairs.writeUIntBE(Math.floor((i / rows) * 2 ** 48), i * PAIR_BYTES, 6)
      pairs.writeUInt32BE((i * 7_919) % 65_536, i * PAIR_BYTES + KEPT_BYTES)
    }
    const bytes = [...pairsToBuckets(pairs)].reduce((sum, bucket) => sum + bucket.length, 0)
    expect(bytes / rows).toBeLessThan(10)
  })
})
