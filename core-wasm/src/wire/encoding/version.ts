/** The version byte that opens every request. PROTOCOL.md §6.2. Throws VERSION_UNKNOWN. */
import { PROTOCOL_VERSION } from '../constants.ts'
import { FederationError } from '../errors.ts'

export function assertVersion(version: number): void {
  if (version === PROTOCOL_VERSION) return
  throw new FederationError(
    'VERSION_UNKNOWN',
    `expected protocol version ${PROTOCOL_VERSION}, got ${version}: update the older side`,
    { version: PROTOCOL_VERSION },
  )
}
