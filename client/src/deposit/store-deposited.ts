/** Stores the rows that the central peer acknowledged, in the form that deposited.ts reads. */
import { bytesToHex, byteWriter, mergeRow, ROW_BYTES, type Row, rowToMeta } from '@geotrace/core-wasm/wire'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { del, put, type StorageOperation } from '../storage/storage.ts'
import type { DepositedRows } from './deposited.ts'

export function putDeposited(epoch: number, rows: DepositedRows): StorageOperation {
  if (rows.size === 0) return del(numberedKey(FAMILIES.deposited, epoch))
  const writer = byteWriter(rows.size * ROW_BYTES)
  for (const row of rows.values()) writer.bytes(row.hash).u8(rowToMeta(row))
  return put(numberedKey(FAMILIES.deposited, epoch), writer.finish())
}

/** Merges rows by hash, as the central peer does: lags by OR; a row with lag mask 0 goes. */
export function addRows(rows: DepositedRows, added: Iterable<Row>): DepositedRows {
  const merged: DepositedRows = new Map(rows)
  for (const row of added) {
    const key = bytesToHex(row.hash)
    if (row.lags === 0) merged.delete(key)
    else merged.set(key, mergeRow(merged.get(key), row))
  }
  return merged
}
