/** The version byte that opens every request. PROTOCOL.md §6.2. Throws VERSION_UNKNOWN. */
import { PROTOCOL_VERSION } from '../constants.ts'
import { FederationError } from '../errors.ts'

export function assertVersion(version: number, spoken: number = PROTOCOL_VERSION): void {
  if (version === spoken) return
  throw new FederationError('VERSION_UNKNOWN', `expected version ${spoken}, got ${version}: update the older side`, {
    version: spoken,
  })
}
