/**
 * The settings of a central peer; node/CENTRAL.md explains each of them to the authority. Values on which all peers must
 * agree (retention, frame sizes) are part of the manifest instead. Throws COMMAND_INVALID for an unknown key.
 */
import { DAY_MS, DEPOSIT_WINDOW_MS, FederationError, type Manifest } from '@geotrace/core-wasm/wire'
import { assertRiskProfile, DEGREES_MAX, type RiskProfile, SEED_PROFILE } from './risk/risk-profile.ts'

export interface CentralConfig {
  /** Contact steps from the reporter within which users are marked. */
  degrees: number
  /** Epochs from a contact until the contacted user counts as a source. */
  latencyEpochs: number
  /** Weights and thresholds; default: SEED_PROFILE. */
  profile: RiskProfile
  /** The signed version of the profile; 0 for one that comes with this version of Geo Trace. */
  profileVersion: number
  /** Days after a report during which new deposits of the reporter and of contacts still count for it. */
  reportDays: number
  /** Whether a report waits for the authority before it gives marks. */
  review: boolean
  /** People above which the circuit breaker stops a report that nobody has reviewed. */
  breakerPeople: number
  /** Days before the first symptoms, and after them, in which a person infects others; for codes that name the onset. */
  infectiousBefore: number
  infectiousAfter: number
  /** Report codes that a user may present in a UTC day. */
  attemptsPerDay: number
  /** New users through one relay in a UTC day. */
  newUsersPerRelay: number
  /** Deposits of one user in a UTC day. */
  depositsPerDay: number
  /** The whole store in MiB. New users are refused somewhat earlier. */
  storeCeilingMib: number
  /** Syncs answered at the same time. A further device gets BUSY and tries again. */
  inFlight: number
}

/** The settings that are not whole numbers. */
const SHAPED = { profile: true, review: true }

const LIMITS: Record<Exclude<keyof CentralConfig, keyof typeof SHAPED>, [min: number, max: number]> = {
  degrees: [1, DEGREES_MAX],
  latencyEpochs: [0, 252],
  profileVersion: [0, 1_000_000],
  reportDays: [1, 3_660],
  breakerPeople: [1, 1_000_000_000],
  infectiousBefore: [0, 30],
  infectiousAfter: [0, 60],
  attemptsPerDay: [1, 1_000],
  newUsersPerRelay: [1, 1_000_000],
  depositsPerDay: [24, 10_000],
  storeCeilingMib: [1, 1 << 30],
  inFlight: [1, 10_000],
}

/** Defaults filled in. Throws COMMAND_INVALID. */
export function toCentralConfig(
  given: Partial<CentralConfig>,
  { parameters }: { readonly parameters: Pick<Manifest['parameters'], 'retentionDays'> },
): CentralConfig {
  const profile = given.profile ?? SEED_PROFILE
  const config: CentralConfig = {
    degrees: profile.degrees,
    latencyEpochs: profile.latencyEpochs,
    profile,
    profileVersion: 0,
    reportDays: parameters.retentionDays,
    review: false,
    // More people than one person meets in two weeks: rows of public places, a code that was stolen, or an error.
    breakerPeople: 10_000,
    infectiousBefore: 2,
    infectiousAfter: 10,
    attemptsPerDay: 10,
    // Ten relays admit a city of half a million in ten days.
    newUsersPerRelay: 5_000,
    // A device has new fixes once in five minutes at most.
    depositsPerDay: 288,
    // A terabyte: what one machine with embedded databases serves, about a million users.
    storeCeilingMib: 1 << 20,
    inFlight: 256,
    ...given,
  }
  for (const key of Object.keys(given)) if (!(key in SHAPED) && !(key in LIMITS)) invalid(`unknown setting "${key}"`)
  for (const [key, [min, max]] of Object.entries(LIMITS)) {
    const value = config[key as keyof typeof LIMITS]
    if (!Number.isInteger(value) || value < min || value > max) invalid(`${key} expected ${min}..${max}, got ${value}`)
  }
  if (typeof config.review !== 'boolean') invalid(`review expected true or false, got ${String(config.review)}`)
  const effective = { ...profile, degrees: config.degrees, latencyEpochs: config.latencyEpochs }
  try {
    assertRiskProfile(effective)
  } catch (error) {
    invalid(`profile: ${error instanceof Error ? error.message : 'invalid'}`)
  }
  return { ...config, profile: effective }
}

/** The time in Unix ms from which deposits no longer change a report: its last epoch's deposit window has closed. */
export function reportToEnd(report: { at: number }, { reportDays }: CentralConfig): number {
  return report.at + reportDays * DAY_MS + DEPOSIT_WINDOW_MS
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', `central peer: ${reason}`, { reason })
}
