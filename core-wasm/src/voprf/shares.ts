/**
 * How the replicas of a shard share its secret: parts, shares, and the weights by which answers combine. PROTOCOL.md §5.7.
 * Replica j, by rank from 0, has x = j + 1. A part is a set of R − t + 1 replicas that share one seed. Weights are public
 * and computed with BigInt; secrets go through the group only. Throws RangeError for ranks or thresholds that do not exist.
 */
import type { Group } from './group.ts'

/** The order of the group: 2^252 + 27742317777372353535851937790883648493. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const SCALAR_BYTES = 32

/** The ranks of one part, ascending. */
export type Part = readonly number[]

/** A part that a replica belongs to, by its number, and f_A(x_j): the weight of its secret in the replica's share. */
interface ShareWeight {
  readonly part: number
  /** A scalar of 32 bytes; undefined for the weight 1 of the only part when t = 1. */
  readonly weight: Uint8Array | undefined
}

/** All parts of a shard of `replicas` with `threshold`, in the lexicographic order of their ranks. Their index names them. */
export function parts(replicas: number, threshold: number): Part[] {
  if (!Number.isInteger(replicas) || !(threshold >= 1 && threshold <= replicas) || !Number.isInteger(threshold)) {
    throw new RangeError(`expected 1 <= threshold <= replicas, got threshold ${threshold} and ${replicas} replicas`)
  }
  return subsets(replicas, replicas - threshold + 1, 0)
}

/** The parts of replica `rank` with their weights, ascending by part. */
export function rankToWeights(replicas: number, threshold: number, rank: number): ShareWeight[] {
  if (!Number.isInteger(rank) || rank < 0 || rank >= replicas) {
    throw new RangeError(`expected a rank below ${replicas}, got ${rank}`)
  }
  return parts(replicas, threshold).flatMap((ranks, part) => {
    if (!ranks.includes(rank)) return []
    let [numerator, denominator] = [1n, 1n]
    for (let other = 0; other < replicas; other++) {
      if (ranks.includes(other)) continue
      numerator *= BigInt(other - rank)
      denominator *= BigInt(other + 1)
    }
    return [{ part, weight: threshold === 1 ? undefined : toScalar(numerator, denominator) }]
  })
}

/** λ_j = factor / divisor for each of exactly these responders. The factors are small integers. */
export interface ResponderWeights {
  readonly factors: readonly number[]
  /** 1 / divisor as a scalar of 32 bytes, the same for all. */
  readonly inverse: Uint8Array
}

export function respondersToWeights(responders: readonly number[]): ResponderWeights {
  if (new Set(responders).size !== responders.length) {
    throw new RangeError(`expected distinct responders, got ${responders.join(', ')}`)
  }
  const fractions = responders.map((rank) => {
    let [numerator, denominator] = [1n, 1n]
    for (const other of responders) {
      if (other === rank) continue
      numerator *= BigInt(other + 1)
      denominator *= BigInt(other - rank)
    }
    const common = divisorOf(numerator, denominator)
    return { numerator: numerator / common, denominator: denominator / common }
  })
  const divisor = fractions.reduce((all, { denominator }) => (all * denominator) / divisorOf(all, denominator), 1n)
  return {
    factors: fractions.map(({ numerator, denominator }) => Number(numerator * (divisor / denominator))),
    inverse: toScalar(1n, divisor),
  }
}

/** λ_j of every responder as scalars of 32 bytes. Combining with `factors` and `inverse` costs far less. */
export function weightsToScalars(group: Group, { factors, inverse }: ResponderWeights): Uint8Array[] {
  const zero = new Uint8Array(SCALAR_BYTES)
  return factors.map((factor) => {
    const size = new Uint8Array(SCALAR_BYTES)
    new DataView(size.buffer).setBigUint64(0, BigInt(Math.abs(factor)), true)
    const product = group.scalarMultiply(size, inverse)
    return factor < 0 ? group.scalarSubtract(zero, product) : product
  })
}

/** The share of a replica from the secrets of its parts, which `secretOf` gives by part. The caller wipes all of them. */
export function secretsToShare(
  group: Group,
  weights: readonly ShareWeight[],
  secretOf: (part: number) => Uint8Array,
): Uint8Array {
  let share: Uint8Array = new Uint8Array(new ArrayBuffer(SCALAR_BYTES))
  for (const { part, weight } of weights) {
    const term = weight === undefined ? secretOf(part) : group.scalarMultiply(weight, secretOf(part))
    const sum = group.scalarAdd(share, term)
    if (weight !== undefined) term.fill(0)
    share.fill(0)
    share = sum
  }
  return share
}

/** The share key of a replica from the keys of all parts. Throws RangeError when a key is no element. */
export function keysToShareKey(
  group: Group,
  weights: readonly ShareWeight[],
  partKeys: readonly Uint8Array[],
): Uint8Array {
  return group.sum(
    weights.map(({ weight }) => weight ?? 1),
    weights.map(({ part }) => partKeys[part]!),
  )
}

function subsets(count: number, size: number, from: number): number[][] {
  if (size === 0) return [[]]
  const found: number[][] = []
  for (let first = from; first + size <= count; first++) {
    for (const rest of subsets(count, size - 1, first + 1)) found.push([first, ...rest])
  }
  return found
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

/** The greatest common divisor, positive. */
function divisorOf(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a < 0n ? -a : a
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
