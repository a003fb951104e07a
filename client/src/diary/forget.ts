/** Removes what is older than the federation's retention: diary, links, verdicts, deposited rows, marks. */
import { timeToEpoch } from '@geotrace/core-wasm/wire'
import { FAMILIES, keyToNumber } from '../storage/key-layout.ts'
import { del, type Storage } from '../storage/storage.ts'
import { timeToFixBlock } from './fix-block.ts'
import { forget } from './fix-states.ts'

/** `beforeMs`: Unix ms. Everything of an earlier block or epoch goes, in one batch. */
export async function forgetBefore(storage: Storage, beforeMs: number): Promise<void> {
  const operations = await forget(storage, timeToFixBlock(beforeMs))
  const oldest: [family: string, number: number][] = [
    [FAMILIES.verdict, timeToFixBlock(beforeMs)],
    [FAMILIES.deposited, timeToEpoch(beforeMs)],
    [FAMILIES.mark, timeToEpoch(beforeMs)],
  ]
  for (const [family, number] of oldest) {
    for await (const [key] of storage.range(family)) {
      if (keyToNumber(key) >= number) break
      operations.push(del(key))
    }
  }
  if (operations.length > 0) await storage.batch(operations)
}
