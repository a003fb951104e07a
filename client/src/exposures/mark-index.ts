/** The fixes that a mark may point to: those of its epoch, with their hashes. */
import { BLOCK_SIZES_MIN, EPOCH_MIN, type Mark } from '@geotrace/core-wasm/wire'
import { readFix } from '../diary/diary.ts'
import { decodeHashedFix } from '../salts/hashed-fix.ts'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'
import type { LinkedFix } from './exposure.ts'

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
