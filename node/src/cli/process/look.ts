/** Checks the peers of a running peer again and again, so that its status is recent. node/README.md "Operating". */
import type { Clock } from '@geotrace/core-wasm'
import type { Log } from '../../platform/log.ts'

/** Recent enough for the status page. */
const LOOK_MS = 5 * 60_000
/** A peer with the manifest of another founding shows that soon after its start. */
const FIRST_LOOK_MS = 20_000

/** Returns the function that ends it. */
export function lookRegularly(peer: { lookAround(): Promise<void> }, clock: Clock, log: Log): () => void {
  const look = (): void => {
    peer.lookAround().catch(() => log.error('peer.look-failed'))
    cancel = clock.setTimer(look, LOOK_MS)
  }
  let cancel = clock.setTimer(look, FIRST_LOOK_MS)
  return () => cancel()
}
