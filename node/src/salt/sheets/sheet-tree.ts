/** The Merkle tree of a sheet. PROTOCOL.md §5.2. Zero lines pad the lines to a power of two. */
import { HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Hashes } from '../secrets/ratchet.ts'

export interface SheetTree {
  readonly root: Uint8Array
  /** The siblings of line `index` from the leaf up. RangeError for a line that does not exist. */
  path(index: number): Uint8Array[]
}

/** `lines` holds 32 bytes for each epoch. */
export function linesToSheetTree(core: Hashes, lines: Uint8Array): SheetTree {
  const count = lines.length / HASH_BYTES
  const padded = new Uint8Array(2 ** Math.ceil(Math.log2(count)) * HASH_BYTES)
  padded.set(lines)
  const levels = [hashRows(core, 0, padded, 1)]
  while (levels.at(-1)!.length > HASH_BYTES) levels.push(hashRows(core, 1, levels.at(-1)!, 2))
  return {
    root: levels.at(-1)!.slice(),
    path(index) {
      if (index < 0 || index >= count) throw new RangeError(`"index" expected 0..${count - 1}, got ${index}`)
      return levels.slice(0, -1).map((row, depth) => {
        const sibling = (index >> depth) ^ 1
        return row.slice(sibling * HASH_BYTES, (sibling + 1) * HASH_BYTES)
      })
    },
  }
}

/** H(tag ‖ `arity` neighbouring rows) for every group of rows. */
function hashRows(core: Hashes, tag: number, rows: Uint8Array, arity: number): Uint8Array {
  const width = arity * HASH_BYTES
  const groups = rows.length / width
  const messages = new Uint8Array(groups * (1 + width)).fill(tag)
  for (let i = 0; i < groups; i++) messages.set(rows.subarray(i * width, (i + 1) * width), i * (1 + width) + 1)
  return core.sha256Batch(messages, 1 + width)
}
