/**
 * Randomness that a seed repeats: xoshiro128** (Blackman and Vigna, 2018), for simulations only. CONTRIBUTING "Simulation".
 * Every actor draws from a stream of its own, so an additional draw of one actor changes no draw of another actor.
 */
import { createHash } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'

export interface SeededRandom {
  /** Uniform in [0, 1). */
  unit(): number
  /** A whole number in 0..n − 1. */
  below(n: number): number
  /** Uniform in [from, to). */
  between(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  /** At most `count` distinct items, in a random order. */
  sample<T>(items: readonly T[], count: number): T[]
  readonly bytes: Random
  /** The stream of this name. Every call gives the same stream, however many draws came before. */
  fork(name: string): SeededRandom
}

export function seededRandom(seed: string): SeededRandom {
  const state = new Uint32Array(4)
  const digest = createHash('sha256').update(seed).digest()
  for (let i = 0; i < 4; i++) state[i] = digest.readUInt32LE(i * 4)

  const u32 = (): number => {
    const [s0, s1, s2, s3] = state as unknown as [number, number, number, number]
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const t = s1 << 9
    const x2 = s2 ^ s0
    const x3 = s3 ^ s1
    state[1] = s1 ^ x2
    state[0] = s0 ^ x3
    state[2] = x2 ^ t
    state[3] = (x3 << 11) | (x3 >>> 21)
    return result
  }
  const unit = (): number => u32() / 2 ** 32
  const below = (n: number): number => Math.floor(unit() * n)
  return {
    unit,
    below,
    between: (from, to) => from + unit() * (to - from),
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('"items" expected at least one')
      return items[below(items.length)]!
    },
    sample(items, count) {
      const left = [...items]
      return Array.from({ length: Math.min(count, left.length) }, () => left.splice(below(left.length), 1)[0]!)
    },
    bytes: (length) => Uint8Array.from({ length }, () => u32() >>> 24),
    fork: (name) => seededRandom(`${seed}/${name}`),
  }
}
