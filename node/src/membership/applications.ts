/**
 * The applications that wait for a roster, by the key of their node. PROTOCOL.md §7.3. The node that applied is no peer yet,
 * so gossip does not reach it, and it learns from this message who has endorsed it.
 */
import { bytesToHex, encodeChange, encodeGossip } from '@geotrace/core-wasm/wire'
import type { Pool } from './agreement/pool.ts'
import type { RosterStore } from './roster-store.ts'

/** A function that returns the message with the application of a node. Strangers may call it often, so it is a look-up. */
export function createApplications(
  pool: Pick<Pool, 'changes' | 'onNews'>,
  rosters: Pick<RosterStore, 'onAdd'>,
): (key: Uint8Array | undefined) => Uint8Array | undefined {
  let known: ReadonlyMap<string, Uint8Array> | undefined
  pool.onNews((kind) => {
    if (kind === 'change') known = undefined
  })
  rosters.onAdd(() => {
    known = undefined
  })
  return (key) => {
    if (key === undefined) return undefined
    known ??= new Map(
      pool.changes().flatMap((signed) => {
        if (signed.change.kind !== 'join') return []
        return [[bytesToHex(signed.change.key), encodeGossip({ kind: 'change', change: encodeChange(signed) })]]
      }),
    )
    return known.get(bytesToHex(key))
  }
}
