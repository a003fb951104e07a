/**
 * The bounds of the computation of one report. PROTOCOL.md §8. Every bound counts rows, users or matches, so the same rows
 * reach a bound on every machine. A degree that needs more is left out whole: marks then do not depend on an order.
 * Throws RISK_BOUND.
 */
import { FederationError } from '@geotrace/core-wasm/wire'

type RiskBound = 'sources' | 'arrivals' | 'hashes' | 'pairs' | 'work'
export type RiskLimits = Readonly<Record<RiskBound | 'marks', number>>

/** Together some 400 MB (2026-11). */
export const RISK_LIMITS: RiskLimits = {
  /** Sources of one degree: the contacts of contacts of a city block. */
  sources: 10_000,
  /** Users that the sources of one degree reach, before it is known which of them are sources. */
  arrivals: 200_000,
  /** Distinct hashes of all sources in one epoch; without a pruned list, their rows. */
  hashes: 1_000_000,
  /** Pairs with a score; only a profile with thresholds keeps them. */
  pairs: 1_000_000,
  /** Rows and matches that the rule looks at for one degree: some minutes. */
  work: 500_000_000,
  /** Marks in memory. Further users get theirs in another pass through the epochs. */
  marks: 500_000,
}

export function assertWithin(limits: RiskLimits, bound: RiskBound, count: number, degree: number): void {
  if (count <= limits[bound]) return
  throw new FederationError('RISK_BOUND', `degree ${degree} needs more than ${limits[bound]} ${bound}`, {
    degree,
    bound,
  })
}
