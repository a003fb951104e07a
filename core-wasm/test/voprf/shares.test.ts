import { ristretto255 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { type Part, parts, rankToWeights, respondersToWeights } from '../../src/voprf/index.ts'

/** The oracle: noble's field of scalars. */
const { Fn } = ristretto255.Point
const REPLICAS_MAX = 6

const shapes = Array.from({ length: REPLICAS_MAX }, (_, i) => i + 1).flatMap((replicas) =>
  Array.from({ length: replicas }, (_, i) => ({ replicas, threshold: i + 1 })),
)
/** All sets of `size` ranks, from the bits of an integer: another way than that of the code under test. */
const setsOf = (replicas: number, size: number): number[][] =>
  Array.from({ length: 2 ** replicas }, (_, bits) =>
    Array.from({ length: replicas }, (_, rank) => rank).filter((rank) => (bits >> rank) & 1),
  ).filter((ranks) => ranks.length === size)
const misses = (part: Part, ranks: readonly number[]) => ranks.every((rank) => !part.includes(rank))

describe('the parts of a shard', () => {
  it('the parts are all sets of R − t + 1 replicas in the lexicographic order of their ranks', () => {
    expect(parts(3, 2)).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ])
    expect(parts(5, 1)).toEqual([[0, 1, 2, 3, 4]])
    for (const { replicas, threshold } of shapes) {
      const order = setsOf(replicas, replicas - threshold + 1).map((ranks) => ranks.join(' '))
      expect(parts(replicas, threshold).map((ranks) => ranks.join(' '))).toEqual(order.sort())
    }
  })

  it('any t replicas know every part, and any t − 1 replicas miss exactly one part', () => {
    for (const { replicas, threshold } of shapes) {
      const all = parts(replicas, threshold)
      for (const ranks of setsOf(replicas, threshold)) expect(all.filter((part) => misses(part, ranks))).toEqual([])
      for (const ranks of setsOf(replicas, threshold - 1)) {
        expect(all.filter((part) => misses(part, ranks))).toHaveLength(1)
      }
    }
  })

  it('a threshold that no shard can have is a RangeError', () => {
    for (const [replicas, threshold] of [
      [3, 0],
      [3, 4],
      [0, 0],
      [2.5, 1],
      [3, 1.5],
      [3, Number.NaN],
    ] as const) {
      expect(() => parts(replicas, threshold)).toThrow(RangeError)
    }
  })
})

describe('the weights of shares and answers', () => {
  it('any t shares combine to the sum of all part secrets, for every R and t up to six', () => {
    let sets = 0
    for (const { replicas, threshold } of shapes) {
      const secrets = parts(replicas, threshold).map((_, part) => Fn.create(7n ** BigInt(90 + part)))
      const shareOf = (rank: number) =>
        rankToWeights(replicas, threshold, rank).reduce((sum, { part, weight }) => {
          const factor = weight === undefined ? 1n : Fn.fromBytes(weight)
          return Fn.add(sum, Fn.mul(factor, secrets[part]!))
        }, 0n)
      const whole = secrets.reduce((a, b) => Fn.add(a, b))
      for (const responders of setsOf(replicas, threshold)) {
        const { factors, inverse } = respondersToWeights(responders)
        const sum = responders.reduce((total, rank, i) => total + BigInt(factors[i]!) * shareOf(rank), 0n)
        expect(Fn.mul(Fn.create(sum), Fn.fromBytes(inverse))).toBe(whole)
        for (const factor of factors) expect(Math.abs(factor)).toBeLessThan(2 ** 12)
        sets++
      }
    }
    expect(sets).toBe(2 ** (REPLICAS_MAX + 1) - 2 - REPLICAS_MAX)
  })

  it('a replica has a weight for each part that it belongs to, and for no other part', () => {
    for (const { replicas, threshold } of shapes) {
      const all = parts(replicas, threshold)
      for (let rank = 0; rank < replicas; rank++) {
        const own = all.flatMap((ranks, part) => (ranks.includes(rank) ? [part] : []))
        expect(rankToWeights(replicas, threshold, rank).map(({ part }) => part)).toEqual(own)
      }
    }
  })

  it('a rank that does not exist, and a responder named twice, are a RangeError', () => {
    for (const rank of [-1, 3, 0.5, Number.NaN]) expect(() => rankToWeights(3, 2, rank)).toThrow(RangeError)
    expect(() => respondersToWeights([0, 1, 1])).toThrow(RangeError)
  })
})
