/** The error of a roster that breaks a rule. PROTOCOL.md §4. */
import { FederationError } from '../errors.ts'

/** Throws ROSTER_INVALID. */
export function invalid(reason: string, cause?: unknown): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason }, { cause })
}
