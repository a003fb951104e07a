/**
 * Erasing everything, here. PROTOCOL.md §7.2, kind `erase`. What the device knows goes at once; the secret that names it
 * to the central peer stays until that peer acknowledged (finish-erasure.ts), so that an erasure survives a restart.
 */
import { encodeSyncRequest, SYNC_ID_BYTES } from '@geotrace/core-wasm/wire'
import { FAMILIES, KEYS } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import type { Device } from './device.ts'

/** Wipes the device in one batch and freezes the request. */
export async function beginErasure({ storage, manifest, random, secrets, keeper }: Device): Promise<void> {
  const frame = encodeSyncRequest(
    {
      userSecret: secrets.user,
      syncId: random(SYNC_ID_BYTES),
      report: { kind: 'erase' },
      generation: 0,
      cursor: 0,
      groups: [],
    },
    manifest.parameters.syncRequestBytes,
  )
  const kept: string[] = [KEYS.federation, KEYS.userSecret, KEYS.deviceSecret]
  const operations = await deleteAllBut(storage, (key) => kept.includes(key) || key.startsWith(FAMILIES.roster))
  await storage.batch([...operations, put(KEYS.erasing, Uint8Array.of(1)), put(KEYS.frozen, frame)])
  keeper.dropAll()
}

export async function isErasing(storage: Storage): Promise<boolean> {
  return (await storage.get(KEYS.erasing)) !== undefined
}

export async function deleteAllBut(storage: Storage, stays: (key: string) => boolean): Promise<StorageOperation[]> {
  const operations: StorageOperation[] = []
  for await (const [key] of storage.range('')) if (!stays(key)) operations.push(del(key))
  return operations
}
