/**
 * Marks on the device: the central peer's notes that a deposited hash was at risk. PROTOCOL.md §7.2. A sync stores them
 * (store-marks.ts); an app reads them.
 */
import { byteReader, bytesToHex, EPOCH_MS, hexToBytes, type Mark } from '@geotrace/core-wasm/wire'
import { decodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'

/** Where reading goes on. */
interface MarkCursor {
  generation: number
  cursor: number
}

export async function readCursor(storage: Storage): Promise<MarkCursor> {
  const bytes = await storage.get(KEYS.cursor)
  return bytes === undefined ? { generation: 0, cursor: 0 } : decodeRecord<MarkCursor>(KEYS.cursor, bytes)
}

/** Those of epochs that end after `hideBeforeMs`. */
export async function readMarks(storage: Storage, hideBeforeMs: number): Promise<Mark[]> {
  const marks: Mark[] = []
  for await (const [key, value] of storage.range(FAMILIES.mark)) {
    if ((keyToNumber(key) + 1) * EPOCH_MS <= hideBeforeMs) continue
    const reader = byteReader(value)
    const hash = hexToBytes(key.slice(FAMILIES.mark.length + 8))
    const [degree, weight, lag] = [reader.u8(), reader.u16(), reader.u8()]
    marks.push({ epoch: keyToNumber(key), hash, degree, weight, lag: lag === 0 ? 0 : 1 })
  }
  return marks
}

export function markKey({ epoch, hash }: Pick<Mark, 'epoch' | 'hash'>): string {
  return `${numberedKey(FAMILIES.mark, epoch)}${bytesToHex(hash)}`
}
