/**
 * Finds the rows that the central peer has and no fix of the device has any more, because a fix was deleted or redacted.
 * PROTOCOL.md §7.2. The next batch takes these rows back.
 */
import { readRowsOf } from '../diary/fix-states.ts'
import { FAMILIES, keyToNumber } from '../storage/key-layout.ts'
import { del, type Storage, type StorageOperation } from '../storage/storage.ts'
import { type DepositedRows, readDeposited } from './deposited.ts'

interface TakeBacks {
  /** Rows by epoch. */
  readonly epochs: ReadonlyMap<number, DepositedRows>
  /** The operations that note which epochs have none. */
  readonly operations: readonly StorageOperation[]
}

export async function readTakeBacks(storage: Storage): Promise<TakeBacks> {
  const epochs = new Map<number, DepositedRows>()
  const operations: StorageOperation[] = []
  for await (const [key] of storage.range(FAMILIES.takeBack)) {
    const epoch = keyToNumber(key)
    const rows = rowsToTakeBack(await readDeposited(storage, epoch), await readRowsOf(storage, epoch))
    if (rows.size > 0) epochs.set(epoch, rows)
    else operations.push(del(key))
  }
  return { epochs, operations }
}

/** Pure. A row stays while one remaining fix has it, with whatever lag. */
export function rowsToTakeBack(
  deposited: DepositedRows,
  remaining: readonly { readonly key: string }[],
): DepositedRows {
  const needed = new Set(remaining.map(({ key }) => key))
  return new Map([...deposited].filter(([key]) => !needed.has(key)))
}
