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
  /**
   * The longest block, in minutes, that carries a risk beyond the reporter's own contacts. A user becomes a source by
   * matches in such blocks, and only they make marks of degree 2 and more. Somebody who invents rows can then claim no
   * more places than a phone could visit.
   */
  readonly chainMinutes: number
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
  chainMinutes: 5,
  sizes: { 5: 16, 10: 8, 20: 4, 40: 2, 80: 1 },
}

/** Throws RangeError unless every number is within its bounds. */
export function assertRiskProfile(profile: RiskProfile): void {
  const { degrees, thresholds, latencyEpochs, same, trail, chainMinutes, sizes } = profile
  whole('degrees', degrees, 1, DEGREES_MAX)
  whole('latencyEpochs', latencyEpochs, 0, 18 * 14)
  whole('thresholds', thresholds.length, 1, DEGREES_MAX)
  for (const [i, threshold] of thresholds.entries()) whole('thresholds', threshold, thresholds[i - 1] ?? 1, 0x7fffffff)
  for (const size of BLOCK_SIZES_MIN) {
    whole(`sizes.${size}`, sizes[size] ?? Number.NaN, 0, WEIGHT_MAX)
    whole('same', same * sizes[size]!, 0, WEIGHT_MAX)
  }
  whole('trail', trail, 0, same)
  if (!BLOCK_SIZES_MIN.some((size) => size === chainMinutes))
    throw new RangeError(`"chainMinutes" expected ${BLOCK_SIZES_MIN.join(', ')}, got ${chainMinutes}`)
}

export function degreeToThreshold({ thresholds }: RiskProfile, degree: number): number {
  return thresholds[Math.min(degree, thresholds.length) - 1]!
}

/** Whether each match with a weight crosses the threshold of the degree alone. */
export function isCrossedByOne(profile: RiskProfile, degree: number): boolean {
  const toWeight = matchWeights(profile, degree)
  const weights = BLOCK_SIZES_MIN.flatMap((size) => [toWeight(size, 0), toWeight(size, 1)])
  return weights.every((weight) => weight === 0 || weight >= degreeToThreshold(profile, degree))
}

/** The weights of matches of a degree by the row's size: at lag 0 in the same block, at lag 1 one block later. */
export function matchWeights(profile: RiskProfile, degree: number): (size: number, lag: 0 | 1) => number {
  const { same, trail, chainMinutes, sizes } = profile
  return (size, lag) => (degree > 1 && size > chainMinutes ? 0 : (lag === 0 ? same : trail) * sizes[size]!)
}

/** The numbers of a profile as one text. Equal texts give equal marks. */
export function profileToText(profile: RiskProfile): string {
  const { degrees, thresholds, latencyEpochs, same, trail, chainMinutes, sizes } = profile
  const weights = BLOCK_SIZES_MIN.map((size) => sizes[size]).join(',')
  const rule = `degrees ${degrees} thresholds ${thresholds.join(',')} latency ${latencyEpochs} chain ${chainMinutes}`
  return `${rule} weights ${same},${trail} × ${weights}`
}

function whole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`"${name}" expected ${min}..${max}, got ${value}`)
  }
}
