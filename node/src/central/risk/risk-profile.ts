/**
 * The parameters of the risk rule as data. PROTOCOL.md §8. All numbers are integers, so that every machine gets the same
 * result. In SEED_PROFILE any directed match counts; a rule that needs a dose has higher thresholds. Throws RangeError.
 */
import { BLOCK_SIZES_MIN } from '@geotrace/core-wasm/wire'

export interface RiskProfile {
  readonly name: string
  /** Contact steps from the reporter, 1..DEGREES_MAX. */
  readonly degrees: number
  /**
   * The score from which a pair is marked, by degree. Thresholds never fall, because a farther contact cannot need less.
   * The last one also applies to all higher degrees.
   */
  readonly thresholds: readonly number[]
  /** Epochs from a contact until the contacted user counts as a source. */
  readonly latencyEpochs: number
  /** Factor when both were there in the same block. At least `trail`, otherwise more rows could lower a score. */
  readonly same: number
  /** Factor when the source was there one block earlier. */
  readonly trail: number
  /** Weight by block size in minutes. Short blocks show the same moment; long blocks add lingering. */
  readonly sizes: Readonly<Record<number, number>>
}

/** A longer chain of contacts says nothing about a person. */
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

/** Throws RangeError unless every number is within its bounds. */
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

/** Whether each match with a weight crosses the threshold of the degree alone. */
export function isCrossedByOne(profile: RiskProfile, degree: number): boolean {
  const weights = BLOCK_SIZES_MIN.flatMap((size) => [matchToWeight(profile, size, 0), matchToWeight(profile, size, 1)])
  return weights.every((weight) => weight === 0 || weight >= degreeToThreshold(profile, degree))
}

/** The weight of a match on a row of this size: at lag 0 in the same block, at lag 1 one block later. */
export function matchToWeight({ same, trail, sizes }: RiskProfile, size: number, lag: 0 | 1): number {
  return (lag === 0 ? same : trail) * sizes[size]!
}

/** The numbers of a profile as one text. Equal texts give equal marks. */
export function profileToText({ degrees, thresholds, latencyEpochs, same, trail, sizes }: RiskProfile): string {
  const weights = BLOCK_SIZES_MIN.map((size) => sizes[size]).join(',')
  return `degrees ${degrees} thresholds ${thresholds.join(',')} latency ${latencyEpochs} weights ${same},${trail} × ${weights}`
}

function whole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`"${name}" expected ${min}..${max}, got ${value}`)
  }
}
