/**
 * Erases this device. PROTOCOL.md §7.2, kind `erase`. The secret that names the device stays until the central peer
 * acknowledged the `erase` batch (send-erasure.ts), so that the erasure survives a restart.
 */
import { SYNC_ID_BYTES } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { FAMILIES, KEYS } from '../storage/key-layout.ts'
import { deleteAllBut } from '../storage/storage.ts'
import { type Batch, freeze, requestToBatch } from './batch.ts'

/** Wipes the device and freezes the `erase` batch, in one write. Call with the device's lock held. */
export async function beginErasure(device: Device, keepWarning: boolean): Promise<void> {
  const { storage, keeper } = device
  const kept: string[] = [KEYS.federation, KEYS.userSecret, KEYS.deviceSecret]
  const wiped = await deleteAllBut(storage, (key) => kept.includes(key) || key.startsWith(FAMILIES.roster))
  await storage.batch([...wiped, ...freeze(toEraseBatch(device, keepWarning))])
  keeper.dropAll()
}

/** Draws a sync id of its own. `keepWarning`: the marks of others that came from this device's report stay. */
export function toEraseBatch({ manifest, random, secrets }: Device, keepWarning: boolean): Batch {
  const request = {
    minute: 0,
    userSecret: secrets.user,
    syncId: random(SYNC_ID_BYTES),
    report: { kind: 'erase' as const, keepWarning },
    generation: 0,
    cursor: 0,
    groups: [],
  }
  return requestToBatch(request, manifest.parameters.syncRequestBytes)
}
