/**
 * Marks on the device: the central peer's notes that a deposited hash was at risk. PROTOCOL.md §7.2. A new generation (a
 * report was retracted) clears all marks, and they come again page by page.
 */
import {
  byteReader,
  bytesToHex,
  byteWriter,
  hexToBytes,
  type Mark,
  type SyncReply,
  type SyncRequest,
} from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** Where reading goes on. */
export interface MarkCursor {
  generation: number
  cursor: number
}

export async function readCursor(storage: Storage): Promise<MarkCursor> {
  const bytes = await storage.get(KEYS.cursor)
  return bytes === undefined ? { generation: 0, cursor: 0 } : decodeRecord<MarkCursor>(KEYS.cursor, bytes)
}

export async function readMarks(storage: Storage): Promise<Mark[]> {
  const marks: Mark[] = []
  for await (const [key, value] of storage.range(FAMILIES.mark)) {
    const reader = byteReader(value)
    const hash = hexToBytes(key.slice(FAMILIES.mark.length + 8))
    const [degree, weight, lag] = [reader.u8(), reader.u16(), reader.u8()]
    marks.push({ epoch: keyToNumber(key), hash, degree, weight, lag: lag === 0 ? 0 : 1 })
  }
  return marks
}

/** The operations that store the marks and the cursor of an acknowledged reply. */
export async function replyToOperations(storage: Storage, reply: SyncReply): Promise<StorageOperation[]> {
  const before = await readCursor(storage)
  const operations: StorageOperation[] = []
  if (before.generation !== reply.generation) {
    for await (const [key] of storage.range(FAMILIES.mark)) operations.push(del(key))
  }
  for (const mark of reply.marks) {
    const { degree, weight, lag } = mark
    operations.push(put(markKey(mark), byteWriter(4).u8(degree).u16(weight).u8(lag).finish()))
  }
  const { generation, cursor } = reply
  return [...operations, put(KEYS.cursor, encodeRecord({ generation, cursor }))]
}

/** Marks of a reply that the device does not hold yet. Of another generation every mark is new. */
export async function countNewMarks(storage: Storage, request: SyncRequest, reply: SyncReply): Promise<number> {
  if (reply.generation !== request.generation) return reply.marks.length
  let count = 0
  for (const mark of reply.marks) if ((await storage.get(markKey(mark))) === undefined) count++
  return count
}

function markKey({ epoch, hash }: Pick<Mark, 'epoch' | 'hash'>): string {
  return `${numberedKey(FAMILIES.mark, epoch)}${bytesToHex(hash)}`
}
