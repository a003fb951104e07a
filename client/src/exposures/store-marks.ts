/**
 * Stores the marks of a reply. PROTOCOL.md §7.2. A new generation (a report was retracted) clears all marks, and they come
 * again page by page.
 */
import { byteWriter, type SyncReply, type SyncRequest } from '@geotrace/core-wasm/wire'
import { encodeRecord, FAMILIES, KEYS } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { markKey, readCursor } from './marks.ts'

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

/** Marks of a reply that the device does not hold yet. In another generation every mark is new. */
export async function countNewMarks(storage: Storage, request: SyncRequest, reply: SyncReply): Promise<number> {
  if (reply.generation !== request.generation) return reply.marks.length
  let count = 0
  for (const mark of reply.marks) if ((await storage.get(markKey(mark))) === undefined) count++
  return count
}
