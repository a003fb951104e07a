/**
 * When a proposal is old enough for a vote. PROTOCOL.md §4.7. An operator that shows other peers another proposal is
 * convicted meanwhile, so that its two proposals part no votes. Gossip reaches all peers within a second.
 */
import type { Clock } from '@geotrace/core-wasm'
import { boundedMap, bytesToHex, OPERATORS_MAX } from '@geotrace/core-wasm/wire'

const SETTLE_MS = 3_000

/** Returns a function that tells whether it was first asked about a proposal with this hash long enough ago. */
export function settling(clock: Pick<Clock, 'now'>): (hash: Uint8Array) => boolean {
  /** Unix ms by hash in hex. */
  const firstMs = boundedMap<string, number>(OPERATORS_MAX)
  return (hash) => {
    const name = bytesToHex(hash)
    const since = firstMs.get(name) ?? clock.now()
    firstMs.set(name, since)
    return clock.now() - since >= SETTLE_MS
  }
}
