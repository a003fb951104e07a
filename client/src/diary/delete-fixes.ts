/** Deletes fixes by the wish of their owner. README "The tracer". */

import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { del, type Storage, type StorageOperation } from '../storage/storage.ts'
import { noteAbsence } from './absences.ts'
import { timeToFixBlock } from './fix-block.ts'
import { readFixes, remove } from './fix-states.ts'
import { readHistory } from './history.ts'

/** The fixes from `from` until before `until`, Unix ms, with the verdicts on their blocks. The number of fixes. */
export async function deleteFixes(storage: Storage, { from, until }: { from: number; until: number }): Promise<number> {
  const operations: StorageOperation[] = []
  let count = 0
  for await (const { fix } of readFixes(storage)) {
    if (fix.at < from || fix.at >= until) continue
    const block = timeToFixBlock(fix.at)
    operations.push(...(await remove(storage, block)), del(numberedKey(FAMILIES.verdict, block)))
    count++
  }
  for await (const [key, fix] of readHistory(storage)) {
    if (fix.at < from || fix.at >= until) continue
    operations.push(del(key))
    count++
  }
  // The causes of gaps say something about this time too.
  operations.push(...(await noteAbsence(storage, timeToFixBlock(from), timeToFixBlock(until - 1) + 1, undefined)))
  if (operations.length > 0) await storage.batch(operations)
  return count
}
