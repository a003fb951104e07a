/**
 * The settings of a profile: the risk rule and the infectious days. node/CENTRAL.md "Profiles". Pure. `seed` marks any directed
 * encounter; `dose` needs a quarter of an hour. Throws COMMAND_INVALID for settings that are out of bounds.
 */
import { BLOCK_SIZES_MIN, FederationError } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { assertRiskProfile, type RiskProfile, SEED_PROFILE } from '../risk/risk-profile.ts'

/** The least stay, in minutes, that `dose` marks when two people share one of the three cells. */
const DOSE_MINUTES = 15

export interface ProfileSettings extends RiskProfile {
  /** Days before the first symptoms, and after them, that a code with an onset counts. */
  readonly infectiousBefore: number
  readonly infectiousAfter: number
}

const days = z.int().check(z.minimum(0), z.maximum(60))
const schema = z.strictObject({
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/)),
  degrees: z.int(),
  thresholds: z.array(z.int()).check(z.maxLength(5)),
  latencyEpochs: z.int(),
  same: z.int(),
  trail: z.int(),
  chainMinutes: z.int(),
  sizes: z.strictObject(Object.fromEntries(BLOCK_SIZES_MIN.map((size) => [`${size}`, z.int()]))),
  infectiousBefore: days,
  infectiousAfter: days,
})

const SEED: ProfileSettings = { ...SEED_PROFILE, infectiousBefore: 2, infectiousAfter: 10 }

/** The profiles that come with this version. */
export const BUILT_IN: Readonly<Record<'seed' | 'dose', ProfileSettings>> = {
  seed: SEED,
  dose: { ...SEED, name: 'dose', thresholds: [stayToScore(SEED, DOSE_MINUTES)] },
}

/** Throws COMMAND_INVALID. */
export function toSettings(value: unknown): ProfileSettings {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return invalid(`${issue?.path.join('.') || 'the profile'}: ${issue?.message ?? 'not as expected'}`)
  }
  try {
    assertRiskProfile(parsed.data as ProfileSettings)
  } catch (error) {
    return invalid(error instanceof Error ? error.message : 'out of bounds')
  }
  return parsed.data as ProfileSettings
}

/**
 * The least score of two people who share one cell for so many minutes. They share at least the blocks of each size that
 * such a stay fills. People who are so near that they share all three cells reach the score three times as fast.
 */
export function stayToScore({ same, sizes }: RiskProfile, minutes: number): number {
  return BLOCK_SIZES_MIN.reduce((score, size) => score + Math.ceil(minutes / size) * same * sizes[size]!, 0)
}

/** The settings that differ, one line each: `thresholds: 1 → 142`. */
export function diffSettings(before: ProfileSettings, after: ProfileSettings): string[] {
  const [a, b] = [flatten(before), flatten(after)]
  return Object.keys(b).flatMap((name) => (a[name] === b[name] ? [] : [`${name}: ${a[name]} → ${b[name]}`]))
}

function flatten({ sizes, thresholds, ...rest }: ProfileSettings): Record<string, string | number> {
  const weights = BLOCK_SIZES_MIN.map((size) => [`weight of ${size} minutes`, sizes[size]!])
  return { ...rest, thresholds: thresholds.join(', '), ...Object.fromEntries(weights) }
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', `profile: ${reason}`, { reason })
}
