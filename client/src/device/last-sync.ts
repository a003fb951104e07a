/** When the last sync ended, what the last loss was, and what its relay could learn. The status of the device needs both (protection.ts). */

import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import type { SyncResult } from '../sync-result.ts'

interface LastSync {
  /** Unix ms. */
  atMs: number
  /** The newest sync that lost fixes, and how many it lost. */
  lostMs?: number
  fixesLost?: number
  /** The relay of the newest sync replicates a shard of that sync. */
  relayShared?: boolean
}

export async function readLastSync(storage: Storage): Promise<LastSync | undefined> {
  const bytes = await storage.get(KEYS.lastSync)
  return bytes === undefined ? undefined : decodeRecord<LastSync>(KEYS.lastSync, bytes)
}

export async function putLastSync(
  storage: Storage,
  atMs: number,
  { fixesLost, relayShared }: Pick<SyncResult, 'fixesLost' | 'relayShared'>,
): Promise<StorageOperation> {
  const before = await readLastSync(storage)
  const lost = fixesLost > 0 ? { lostMs: atMs, fixesLost } : {}
  const record: LastSync = { ...before, ...lost, atMs, relayShared }
  return put(KEYS.lastSync, encodeRecord(record))
}
