/** The fixes that a mark may point to: those of its epoch, with their hashes. */
import { BLOCK_SIZES_MIN, EPOCH_MIN, type Mark } from '@geotrace/core-wasm/wire'
import { readFix } from './diary.ts'
import type { LinkedFix } from './exposure.ts'
import { decodeHashedFix } from './hashed-fix.ts'
import { FAMILIES, numberedKey } from './records.ts'
import type { Storage } from './storage.ts'

const FIXES_PER_EPOCH = EPOCH_MIN / BLOCK_SIZES_MIN[0]

export async function readLinks(storage: Storage, marks: readonly Mark[]): Promise<LinkedFix[]> {
  const links: LinkedFix[] = []
  for (const epoch of new Set(marks.map((mark) => mark.epoch))) {
    for (let i = 0; i < FIXES_PER_EPOCH; i++) {
      const block = epoch * FIXES_PER_EPOCH + i
      const hashes = await storage.get(numberedKey(FAMILIES.hashes, block))
      const fix = hashes === undefined ? undefined : await readFix(storage, block)
      if (hashes !== undefined && fix !== undefined) links.push({ fix, record: decodeHashedFix(block, hashes) })
    }
  }
  return links
}
