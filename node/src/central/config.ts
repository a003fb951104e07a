/**
 * What the authority may set at its central peer; node/CENTRAL.md says what each means. What all peers must agree on
 * (retention, frame sizes) stands in the manifest instead. Unknown keys are refused.
 */
import { DAY_MS, DEPOSIT_WINDOW_MS, FederationError, type Manifest } from '@geotrace/core-wasm/wire'
import { assertRiskProfile, DEGREES_MAX, type RiskProfile, SEED_PROFILE } from './risk/risk-profile.ts'

export interface CentralConfig {
  /** Contact steps that a report marks. */
  degrees: number
  /** Epochs from a contact until the one who was met counts as a source. */
  latencyEpochs: number
  /** Weights and thresholds; the founding rule unless given. */
  profile: RiskProfile
  /** Days after a report in which what the reporter and contacts deposit still counts for it. */
  reportDays: number
  /** Attempts at codes a user has in a UTC day. */
  attemptsPerDay: number
  /** Users made for one address prefix in a UTC day: a whole school behind one address. */
  newUsersPerPrefix: number
  /** The same for the fence around it (an IPv6 /48). */
  newUsersPerFence: number
  /** Syncs answered at once; beyond it devices are told BUSY and come again. */
  inFlight: number
}

const LIMITS: Record<Exclude<keyof CentralConfig, 'profile'>, [min: number, max: number]> = {
  degrees: [1, DEGREES_MAX],
  latencyEpochs: [0, 252],
  reportDays: [1, 3_660],
  attemptsPerDay: [1, 1_000],
  newUsersPerPrefix: [1, 1_000_000],
  newUsersPerFence: [1, 1_000_000],
  inFlight: [1, 10_000],
}

/** Defaults filled in. Throws COMMAND_INVALID. */
export function toCentralConfig(given: Partial<CentralConfig>, { parameters }: Manifest): CentralConfig {
  const profile = given.profile ?? SEED_PROFILE
  const config: CentralConfig = {
    degrees: profile.degrees,
    latencyEpochs: profile.latencyEpochs,
    profile,
    reportDays: parameters.retentionDays,
    attemptsPerDay: 10,
    newUsersPerPrefix: 2_000,
    newUsersPerFence: 8_000,
    inFlight: 256,
    ...given,
  }
  for (const key of Object.keys(given)) if (key !== 'profile' && !(key in LIMITS)) invalid(`there is no setting ${key}`)
  for (const [key, [min, max]] of Object.entries(LIMITS)) {
    const value = config[key as keyof typeof LIMITS]
    if (!Number.isInteger(value) || value < min || value > max) invalid(`${key} expected ${min}..${max}, got ${value}`)
  }
  const effective = { ...profile, degrees: config.degrees, latencyEpochs: config.latencyEpochs }
  try {
    assertRiskProfile(effective)
  } catch (error) {
    invalid(`profile: ${error instanceof Error ? error.message : 'invalid'}`)
  }
  return { ...config, profile: effective }
}

/** What still changes for a report: deposits of its last epoch arrive until the deposit window has passed. */
export function reportToEnd(report: { at: number }, { reportDays }: CentralConfig): number {
  return report.at + reportDays * DAY_MS + DEPOSIT_WINDOW_MS
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', `central peer: ${reason}`, { reason })
}
