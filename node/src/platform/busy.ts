/** What a peer with too much to do says: a status and when to come back. PROTOCOL.md §6.3. */
import { FederationError } from '@geotrace/core-wasm/wire'

const RETRY_AFTER_MS = 1_000

export function busy(retryAfterMs = RETRY_AFTER_MS): FederationError<'BUSY'> {
  return new FederationError('BUSY', 'too much to do', { retryAfterMs })
}
