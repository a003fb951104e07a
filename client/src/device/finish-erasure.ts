/** Erasing everything, at the central peer. PROTOCOL.md §7.2, kind `erase`. */
import { decodeSyncReply, type Manifest, peerIdToKey, SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { FAMILIES, KEYS } from '../storage/key-layout.ts'
import type { Device } from './device.ts'
import { deleteAllBut } from './erase.ts'

/** Sends the request until acknowledged; then the secrets go too. Throws what a sync throws. */
export async function finishErasure({ storage, manifest, dialer }: Device, signal?: AbortSignal): Promise<void> {
  const frame = await storage.get(KEYS.frozen)
  if (frame !== undefined) {
    const session = await dialer.open()
    try {
      decodeSyncReply(await session.request(toCentral(manifest), SYNC_PROTOCOL, frame, { signal }))
    } finally {
      await session.close()
    }
  }
  await storage.batch(await deleteAllBut(storage, (key) => key.startsWith(FAMILIES.roster)))
}

function toCentral({ central }: Manifest): { key: Uint8Array; addresses: readonly string[] } {
  return { key: peerIdToKey(central.peerId), addresses: central.addresses }
}
