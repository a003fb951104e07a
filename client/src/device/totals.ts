/** The losses of this device since it was set up, kept so that an app can show them. README "Errors and reasons". */
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'

export interface Totals {
  /** Fixes whose salts no node serves any more (3 h). */
  fixesLost: number
  /** Waiting fixes dropped, because they were ahead of the time that two clocks prove. */
  fixesAhead: number
  /** Rows whose epoch takes no deposits any more (48 h), or that the central peer refused permanently. */
  rowsLost: number
  /** Rows that the central peer acknowledged. */
  rowsDeposited: number
}

export async function readTotals(storage: Storage): Promise<Totals> {
  const bytes = await storage.get(KEYS.totals)
  const none = { fixesLost: 0, fixesAhead: 0, rowsLost: 0, rowsDeposited: 0 }
  return bytes === undefined ? none : { ...none, ...decodeRecord<Partial<Totals>>(KEYS.totals, bytes) }
}

/** One operation on the totals record. Put at most one into a batch, because the second would undo the first. */
export async function addTotals(storage: Storage, added: Partial<Totals>): Promise<StorageOperation> {
  const before = await readTotals(storage)
  const after = {
    fixesLost: before.fixesLost + (added.fixesLost ?? 0),
    fixesAhead: before.fixesAhead + (added.fixesAhead ?? 0),
    rowsLost: before.rowsLost + (added.rowsLost ?? 0),
    rowsDeposited: before.rowsDeposited + (added.rowsDeposited ?? 0),
  }
  return put(KEYS.totals, encodeRecord(after))
}
