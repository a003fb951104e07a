/**
 * How the replicas of a shard share its secret: parts, and the public coefficients of shares and of their combination.
 * PROTOCOL.md §5.7. Replica j, by rank from 0, has x = j + 1. A part is a set of R − t + 1 replicas that share one seed.
 * Every function is pure and takes public numbers only. Throws RangeError when a rank or a threshold does not exist.
 */
/** The order of the group: 2^252 + 27742317777372353535851937790883648493. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SCALAR_BYTES = 32

/** The ranks of one part, ascending. */
export type Part = readonly number[]

/** All parts of a shard of `replicas` with `threshold`, in the lexicographic order of their ranks. Their index names them. */
export function parts(replicas: number, threshold: number): Part[] {
  if (!Number.isInteger(replicas) || !(threshold >= 1 && threshold <= replicas) || !Number.isInteger(threshold)) {
    throw new RangeError(`expected 1 <= threshold <= replicas, got threshold ${threshold} and ${replicas} replicas`)
  }
  return subsets(replicas, replicas - threshold + 1, 0)
}

/** f_A(x_j), 32 bytes: the weight of part A's secret in the share of replica `rank`. The weight is 0 outside the part. */
export function partCoefficient(part: Part, replicas: number, rank: number): Uint8Array {
  assertRank(rank, replicas)
  let [numerator, denominator] = [1n, 1n]
  for (let other = 0; other < replicas; other++) {
    if (part.includes(other)) continue
    numerator *= BigInt(other - rank)
    denominator *= BigInt(other + 1)
  }
  return toScalar(numerator, denominator)
}

/** λ_j, 32 bytes: the weight of the answer of replica `rank` when exactly `responders` answer, `rank` among them. */
export function responderCoefficient(responders: readonly number[], rank: number): Uint8Array {
  const others = responders.filter((responder) => responder !== rank)
  if (others.length !== responders.length - 1 || new Set(responders).size !== responders.length) {
    throw new RangeError(`expected distinct responders with rank ${rank} among them, got ${responders.join(', ')}`)
  }
  let [numerator, denominator] = [1n, 1n]
  for (const other of others) {
    numerator *= BigInt(other + 1)
    denominator *= BigInt(other - rank)
  }
  return toScalar(numerator, denominator)
}

function subsets(count: number, size: number, from: number): number[][] {
  if (size === 0) return [[]]
  const found: number[][] = []
  for (let first = from; first + size <= count; first++) {
    for (const rest of subsets(count, size - 1, first + 1)) found.push([first, ...rest])
  }
  return found
}

function assertRank(rank: number, replicas: number): void {
  if (!Number.isInteger(rank) || rank < 0 || rank >= replicas) {
    throw new RangeError(`expected a rank below ${replicas}, got ${rank}`)
  }
}

/** numerator / denominator in the field of scalars, little-endian. Both are public, so BigInt leaks nothing. */
function toScalar(numerator: bigint, denominator: bigint): Uint8Array {
  let value = modulo(numerator * invert(denominator))
  const bytes = new Uint8Array(SCALAR_BYTES)
  for (let i = 0; i < SCALAR_BYTES; i++) {
    bytes[i] = Number(value & 0xffn)
    value >>= 8n
  }
  return bytes
}

const modulo = (value: bigint): bigint => ((value % ORDER) + ORDER) % ORDER

/** 1 / value by the extended Euclidean algorithm; `value` is a product of small differences and never 0. */
function invert(value: bigint): bigint {
  let [low, high] = [modulo(value), ORDER]
  let [a, b] = [1n, 0n]
  while (low !== 0n) {
    const quotient = high / low
    ;[high, low] = [low, high - quotient * low]
    ;[b, a] = [a, b - quotient * a]
  }
  return modulo(b)
}
