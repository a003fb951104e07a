/**
 * The mixer's work: opens the outer layer of each slip, adds dummy items as noise, and shuffles. PROTOCOL.md §9.4.
 * Pure, in steps, so that a node can answer other requests between them. Throws TOO_FEW.
 */
import { FederationError } from '../wire/errors.ts'
import { noiseOffset } from '../wire/spread-rules.ts'
import { type Below, drawNoise, shuffleItems } from './noise.ts'

interface MixingInit {
  readonly slips: readonly Uint8Array[]
  /** The item in a slip. Throws SEAL_UNKNOWN, MESSAGE_MALFORMED. */
  open(slip: Uint8Array): Uint8Array
  /** A dummy: an item with this bucket. */
  seal(bucket: number): Uint8Array
  /** Without bucket 0. */
  readonly buckets: number
  /** Thousandths. */
  readonly epsilon: number
  /** Fewer slips than these are not mixed. */
  readonly minimum: number
  readonly below: Below
}
interface Mixed {
  readonly items: readonly Uint8Array[]
  /** Slips that opened. */
  readonly good: number
  /** Slips that stood twice in the batch. */
  readonly repeated: number
  /** Slips that did not open. */
  readonly refused: number
}

/** Yields after each key agreement. Throws TOO_FEW. */
export function* mixing({ slips, open, seal, buckets, epsilon, minimum, below }: MixingInit): Generator<void, Mixed> {
  const { distinct, repeated } = withoutRepeats(slips)
  const items: Uint8Array[] = []
  for (const slip of distinct) {
    const item = openOr(open, slip)
    if (item !== undefined) items.push(item)
    yield
  }
  const good = items.length
  if (good < minimum) {
    throw new FederationError('TOO_FEW', `${good} reporters contributed, expected at least ${minimum}: no counts`, {
      count: good,
    })
  }
  const offset = noiseOffset(epsilon)
  for (let bucket = 0; bucket <= buckets; bucket++) {
    for (let left = offset + drawNoise(below, epsilon); left > 0; left--) {
      items.push(seal(bucket))
      yield
    }
  }
  shuffleItems(below, items)
  return { items, good, repeated, refused: distinct.length - good }
}

/** Each byte string once, in order. */
export function withoutRepeats(list: readonly Uint8Array[]): { distinct: Uint8Array[]; repeated: number } {
  const seen = new Set<string>()
  const distinct = list.filter((bytes) => {
    // One character a byte: the bytes are random, so no shorter key will do.
    const name = String.fromCharCode(...bytes)
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
  return { distinct, repeated: list.length - distinct.length }
}

/** Undefined for bytes that the role cannot open. */
export function openOr<T>(open: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return open(bytes)
  } catch (error) {
    if (error instanceof FederationError) return undefined
    throw error
  }
}
