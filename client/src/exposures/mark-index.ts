/** The fixes that a mark may point to: the fixes of its epoch, with their hashes. */
import { EPOCH_MIN, type Mark } from '@geotrace/core-wasm/wire'
import { FIX_BLOCK_MIN } from '../diary/fix-block.ts'
import { type LinkedFix, readLinked } from '../diary/fix-states.ts'
import type { Storage } from '../storage/storage.ts'

const BLOCKS_PER_EPOCH = EPOCH_MIN / FIX_BLOCK_MIN

export async function readLinks(storage: Storage, marks: readonly Mark[]): Promise<LinkedFix[]> {
  const links: LinkedFix[] = []
  for (const epoch of new Set(marks.map((mark) => mark.epoch))) {
    for (let i = 0; i < BLOCKS_PER_EPOCH; i++) {
      const link = await readLinked(storage, epoch * BLOCKS_PER_EPOCH + i)
      if (link !== undefined) links.push(link)
    }
  }
  return links
}
