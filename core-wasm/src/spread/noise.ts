/**
 * Noise for the counts of a spread: exact discrete Laplace (Canonne, Kamath, Steinke 2020). It uses integers only, because
 * rounded noise can show the count below it. PROTOCOL.md §9.4. `epsilon` is in thousandths.
 */
import type { Random } from '../random.ts'

/** Returns a uniform integer of 0 … n − 1, n at most 2^47. */
export type Below = (n: number) => number

/** Bytes drawn at once, because a draw of few bytes from the system costs as much as one of many. */
const POOL_BYTES = 4_096

/** Uniform integers from uniform bytes. */
export function randomBelow(random: Random): Below {
  let pool: Uint8Array = new Uint8Array(0)
  let at = 0
  const byte = (): number => {
    if (at === pool.length) {
      pool = random(POOL_BYTES)
      at = 0
    }
    return pool[at++]!
  }
  return (n) => {
    let span = 1
    let bytes = 0
    for (; span < n; bytes++) span *= 256
    const limit = span - (span % n)
    for (;;) {
      let value = 0
      for (let i = 0; i < bytes; i++) value = value * 256 + byte()
      if (value < limit) return value % n
    }
  }
}

/** Z with P(Z = z) proportional to exp(−ε |z|). */
export function drawNoise(below: Below, epsilon: number): number {
  const common = greatestDivisor(epsilon, 1_000)
  const numerator = epsilon / common
  const denominator = 1_000 / common
  for (;;) {
    const u = below(denominator)
    if (!isExp(below, u, denominator)) continue
    let v = 0
    while (isExp(below, 1, 1)) v++
    const size = Math.floor((u + denominator * v) / numerator)
    const isNegative = below(2) === 1
    // Otherwise 0 would be twice as frequent.
    if (!(isNegative && size === 0)) return isNegative ? -size : size
  }
}

/** Exchanges the items in place, each order equally likely (Fisher–Yates). */
export function shuffleItems<T>(below: Below, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(i + 1)
    const item = items[i]!
    items[i] = items[j]!
    items[j] = item
  }
}

/** True with probability exp(−numerator / denominator), for a quotient of 0 to 1. */
function isExp(below: Below, numerator: number, denominator: number): boolean {
  let k = 1
  while (below(denominator * k) < numerator) k++
  return k % 2 === 1
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
