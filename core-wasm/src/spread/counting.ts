/**
 * The teller's work: opens the items of the mixer, counts buckets, and adds its own noise. PROTOCOL.md §9.4.
 * Pure, in steps, so that a node can answer other requests between them.
 */
import { noiseOffset } from '../wire/spread-rules.ts'
import { openOr, withoutRepeats } from './mixing.ts'
import { type Below, drawNoise } from './noise.ts'

interface CountingInit {
  readonly items: readonly Uint8Array[]
  /** The bucket in an item. Throws SEAL_UNKNOWN, MESSAGE_MALFORMED. */
  open(item: Uint8Array): number
  /** Without bucket 0. */
  readonly buckets: number
  /** Thousandths. */
  readonly epsilon: number
  readonly below: Below
}
interface Counted {
  /** The noisy count of each bucket, bucket 0 first. A count may be negative. */
  readonly counts: readonly number[]
  /** Items that stood twice. */
  readonly repeated: number
  /** Items that did not open, or that named no bucket. */
  readonly refused: number
}

/** Yields after each key agreement. */
export function* counting({ items, open, buckets, epsilon, below }: CountingInit): Generator<void, Counted> {
  const { distinct, repeated } = withoutRepeats(items)
  const exact = new Uint32Array(buckets + 1)
  let refused = 0
  for (const item of distinct) {
    const bucket = openOr(open, item)
    if (bucket === undefined || bucket > buckets) refused++
    else exact[bucket]!++
    yield
  }
  const offset = noiseOffset(epsilon)
  const counts = Array.from(exact, (count) => count - offset + drawNoise(below, epsilon))
  exact.fill(0)
  return { counts, repeated, refused }
}
