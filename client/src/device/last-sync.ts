/** When the last sync ended, and what the last loss was. The status of the device needs both (protection.ts). */

import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import type { SyncResult } from '../sync-result.ts'

interface LastSync {
  /** Unix ms. */
  atMs: number
  /** The newest sync that lost fixes, and how many it lost. */
  lostMs?: number
  fixesLost?: number
}

export async function readLastSync(storage: Storage): Promise<LastSync | undefined> {
  const bytes = await storage.get(KEYS.lastSync)
  return bytes === undefined ? undefined : decodeRecord<LastSync>(KEYS.lastSync, bytes)
}

export async function putLastSync(
  storage: Storage,
  atMs: number,
  { fixesLost }: Pick<SyncResult, 'fixesLost'>,
): Promise<StorageOperation> {
  const before = await readLastSync(storage)
  const record = fixesLost > 0 ? { atMs, lostMs: atMs, fixesLost } : { ...before, atMs }
  return put(KEYS.lastSync, encodeRecord(record))
}
