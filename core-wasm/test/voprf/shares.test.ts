import { ristretto255 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { type Part, partCoefficient, parts, responderCoefficient } from '../../src/voprf/index.ts'

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

describe('the coefficients of shares', () => {
  it('any t shares combine to the sum of all part secrets, for every R and t up to six', () => {
    let sets = 0
    for (const { replicas, threshold } of shapes) {
      const all = parts(replicas, threshold)
      const secrets = all.map((_, index) => Fn.create(7n ** BigInt(90 + index)))
      const shareOf = (rank: number) =>
        all.reduce((sum, part, index) => {
          const weight = Fn.fromBytes(partCoefficient(part, replicas, rank))
          return part.includes(rank) ? Fn.add(sum, Fn.mul(weight, secrets[index]!)) : sum
        }, 0n)
      const whole = secrets.reduce((a, b) => Fn.add(a, b))
      for (const responders of setsOf(replicas, threshold)) {
        const sum = responders.reduce((total, rank) => {
          const weight = Fn.fromBytes(responderCoefficient(responders, rank))
          return Fn.add(total, Fn.mul(weight, shareOf(rank)))
        }, 0n)
        expect(sum).toBe(whole)
        sets++
      }
    }
    expect(sets).toBe(2 ** (REPLICAS_MAX + 1) - 2 - REPLICAS_MAX)
  })

  it('a part has the weight 0 in the share of a replica outside it', () => {
    for (const { replicas, threshold } of shapes) {
      for (const part of parts(replicas, threshold)) {
        for (let rank = 0; rank < replicas; rank++) {
          expect(Fn.fromBytes(partCoefficient(part, replicas, rank)) === 0n).toBe(!part.includes(rank))
        }
      }
    }
  })

  it('a rank that does not exist, or that did not answer, is a RangeError', () => {
    for (const rank of [-1, 3, 0.5, Number.NaN]) expect(() => partCoefficient([0, 1], 3, rank)).toThrow(RangeError)
    expect(() => responderCoefficient([0, 1, 2], 3)).toThrow(RangeError)
    expect(() => responderCoefficient([0, 1, 1], 0)).toThrow(RangeError)
    expect(() => responderCoefficient([], 0)).toThrow(RangeError)
  })
})
