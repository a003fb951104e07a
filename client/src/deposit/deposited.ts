/**
 * The rows that the central peer acknowledged, epoch by epoch, so that no row goes out twice. At most 480 rows an epoch.
 * struct Deposited { { u8 hash[12]; u8 meta }[n] }, meta as in PROTOCOL.md §7.2.
 */
import { byteReader, bytesToHex, metaToRow, RISK_HASH_BYTES, type Row } from '@geotrace/core-wasm/wire'
import type { HashedEntry } from '../diary/fix-states.ts'
import { type FixRow, type HashedFix, hashedFixToRows } from '../diary/hashed-fix.ts'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'

/** Rows of one epoch by hash in hex. */
export type DepositedRows = Map<string, Row>

export async function readDeposited(storage: Storage, epoch: number): Promise<DepositedRows> {
  const bytes = await storage.get(numberedKey(FAMILIES.deposited, epoch))
  const rows: DepositedRows = new Map()
  if (bytes === undefined) return rows
  const reader = byteReader(bytes)
  while (reader.left > 0) {
    const hash = reader.bytes(RISK_HASH_BYTES)
    rows.set(bytesToHex(hash), metaToRow(hash, reader.u8())!)
  }
  return rows
}

/** True when the central peer knows this hash with all these lags. */
export function isDeposited(rows: DepositedRows | undefined, key: string, lags: number): boolean {
  return ((rows?.get(key)?.lags ?? 0) & lags) === lags
}

/** Rows of an entry in its open epochs that the central peer does not know yet. */
export function openRows(entry: HashedEntry, deposited: ReadonlyMap<number, DepositedRows>): FixRow[] {
  return hashedFixToRows(entry).filter(
    (row) => entry.open.includes(row.epoch) && !isDeposited(deposited.get(row.epoch), row.key, row.lags),
  )
}

/** `deposited` holds epochs that were read already; an epoch that it lacks is read from the storage. */
export async function isFirstRowDeposited(
  storage: Storage,
  record: HashedFix,
  deposited: ReadonlyMap<number, DepositedRows>,
): Promise<boolean> {
  const { epoch, key, lags } = hashedFixToRows(record)[0]!
  return isDeposited(deposited.get(epoch) ?? (await readDeposited(storage, epoch)), key, lags)
}
