/** What was ever lost on this device, kept so that the user can be told. README "Errors and reasons". */
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'

export interface Totals {
  /** Fixes whose salts could not be had any more (3 h). */
  fixesLost: number
  /** Rows whose epoch takes no deposits any more (48 h), or that the central peer refused for good. */
  rowsLost: number
  /** Rows that the central peer acknowledged. */
  rowsDeposited: number
}

export async function readTotals(storage: Storage): Promise<Totals> {
  const bytes = await storage.get(KEYS.totals)
  const none = { fixesLost: 0, rowsLost: 0, rowsDeposited: 0 }
  return bytes === undefined ? none : { ...none, ...decodeRecord<Partial<Totals>>(KEYS.totals, bytes) }
}

/** One operation; a batch takes at most one of these. */
export async function addTotals(storage: Storage, added: Partial<Totals>): Promise<StorageOperation> {
  const before = await readTotals(storage)
  const after = {
    fixesLost: before.fixesLost + (added.fixesLost ?? 0),
    rowsLost: before.rowsLost + (added.rowsLost ?? 0),
    rowsDeposited: before.rowsDeposited + (added.rowsDeposited ?? 0),
  }
  return put(KEYS.totals, encodeRecord(after))
}
