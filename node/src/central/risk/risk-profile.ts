/**
 * What counts as risk and how much, as data. PROTOCOL.md §8. Integers only, so that every machine agrees.
 * `seed` is the founding rule: any directed match counts. A dose rule is the same data with higher thresholds.
 */
import { BLOCK_SIZES_MIN } from '@geotrace/core-wasm/wire'

export interface RiskProfile {
  readonly name: string
  /** Contact steps from the reporter, 1..DEGREES_MAX. */
  readonly degrees: number
  /** Score of a pair that marks, by degree, never falling (a farther contact cannot need less); the last one stands for
   * the degrees after it. */
  readonly thresholds: readonly number[]
  /** Epochs from the contact until the one who was met counts as a source. */
  readonly latencyEpochs: number
  /** Both in the same block. At least `trail`, or more rows could lower a score. */
  readonly same: number
  /** The source was there a block before. */
  readonly trail: number
  /** By block size, minutes: short blocks say "at the same moment", long ones add lingering. */
  readonly sizes: Readonly<Record<number, number>>
}

/** A chain of more steps says nothing about a person any more. */
export const DEGREES_MAX = 5
/** A mark's weight is a u16 on the wire. */
const WEIGHT_MAX = 0xffff

export const SEED_PROFILE: RiskProfile = {
  name: 'seed',
  degrees: 2,
  thresholds: [1],
  latencyEpochs: 0,
  same: 2,
  trail: 1,
  sizes: { 5: 16, 10: 8, 20: 4, 40: 2, 80: 1 },
}

/** RangeError unless every number is one that the rule can work with. */
export function assertRiskProfile(profile: RiskProfile): void {
  const { degrees, thresholds, latencyEpochs, same, trail, sizes } = profile
  whole('degrees', degrees, 1, DEGREES_MAX)
  whole('latencyEpochs', latencyEpochs, 0, 18 * 14)
  whole('thresholds', thresholds.length, 1, DEGREES_MAX)
  for (const [i, threshold] of thresholds.entries()) whole('thresholds', threshold, thresholds[i - 1] ?? 1, 0x7fffffff)
  for (const size of BLOCK_SIZES_MIN) {
    whole(`sizes.${size}`, sizes[size] ?? Number.NaN, 0, WEIGHT_MAX)
    whole('same', same * sizes[size]!, 0, WEIGHT_MAX)
  }
  whole('trail', trail, 0, same)
}

export function degreeToThreshold({ thresholds }: RiskProfile, degree: number): number {
  return thresholds[Math.min(degree, thresholds.length) - 1]!
}

function whole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`"${name}" expected ${min}..${max}, got ${value}`)
  }
}
