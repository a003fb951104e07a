/**
 * Erasing everything, here and at the central peer. PROTOCOL.md §7.2, kind `erase`. What the device knows goes at once;
 * the secret that names it to the central peer stays until that peer acknowledged, so that an erasure survives a restart.
 */
import {
  decodeSyncReply,
  encodeSyncRequest,
  type Manifest,
  peerIdToKey,
  SYNC_ID_BYTES,
  SYNC_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Device } from './device.ts'
import { FAMILIES, KEYS } from './records.ts'
import { del, put, type Storage, type StorageOperation } from './storage.ts'

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

export async function deleteAllBut(storage: Storage, stays: (key: string) => boolean): Promise<StorageOperation[]> {
  const operations: StorageOperation[] = []
  for await (const [key] of storage.range('')) if (!stays(key)) operations.push(del(key))
  return operations
}

function toCentral({ central }: Manifest): { key: Uint8Array; addresses: readonly string[] } {
  return { key: peerIdToKey(central.peerId), addresses: central.addresses }
}
