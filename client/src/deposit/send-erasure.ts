/** Brings the erasure that began on the device to the central peer. PROTOCOL.md §7.2, kind `erase`. */
import { isFederationError } from '@geotrace/core-wasm'
import { decodeSyncRequest } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { FAMILIES } from '../storage/key-layout.ts'
import { deleteAllBut } from '../storage/storage.ts'
import { freeze, readFrozen } from './batch.ts'
import { toEraseBatch } from './erase.ts'
import { type CentralRoute, send } from './send.ts'

/** Sends the frozen `erase` batch. After the acknowledgement the secrets go too. Throws what `send` throws. */
export async function sendErasure(device: Device, route: CentralRoute): Promise<void> {
  const { storage } = device
  const batch = await readFrozen(storage)
  if (batch === undefined) return
  try {
    await send(route, batch)
  } catch (error) {
    if (!isFederationError(error, 'SYNC_CONFLICT')) throw error
    // The central peer answered another batch of this sync id, so it never takes this one.
    const { report } = decodeSyncRequest(batch.frame, device.manifest.parameters.syncRequestBytes)
    const fresh = toEraseBatch(device, report.kind === 'erase' && report.keepWarning)
    await storage.batch(freeze(fresh))
    await send(route, fresh)
  }
  await storage.batch(await deleteAllBut(storage, (key) => key.startsWith(FAMILIES.roster)))
}
