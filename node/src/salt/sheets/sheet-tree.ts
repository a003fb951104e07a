/**
 * The Merkle tree of a sheet, whole or from some epoch on. PROTOCOL.md §5.2.
 * A replica that joins late has a seed ratcheted past the first epochs, so it cannot compute their lines. The path of its
 * first line, from another replica's answer, replaces them: the root is the same, and so is every later path.
 */
import { HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Hashes } from '../secrets/ratchet.ts'

export interface SheetTree {
  readonly root: Uint8Array
  /** Index of the first line that the tree has a path for. */
  readonly first: number
  /** The siblings of line `index` from the leaf up. RangeError for a line before `first` or after the last. */
  path(index: number): Uint8Array[]
}

/**
 * `lines` are the lines from `first` to the last of `count`, 32 bytes each. `left` is the path of line `first`, needed
 * unless `first` is 0.
 */
export function linesToSheetTree(
  core: Hashes,
  lines: Uint8Array,
  count: number,
  first = 0,
  left: readonly Uint8Array[] = [],
): SheetTree {
  if (lines.length !== (count - first) * HASH_BYTES) {
    throw new RangeError(`"lines" expected ${count - first} × 32 bytes, got ${lines.length}`)
  }
  const depth = Math.ceil(Math.log2(count))
  if (first > 0 && left.length !== depth) throw new RangeError(`"left" expected ${depth} items, got ${left.length}`)
  const padded = new Uint8Array(2 ** depth * HASH_BYTES)
  padded.set(lines, first * HASH_BYTES)
  let level = hashRows(core, 0, padded, first, 1)
  const levels: Uint8Array[] = [level]
  for (let d = 0; d < depth; d++) {
    const from = first >> d
    // An odd first node is a right child, whose left sibling covers epochs without a line here.
    if (from % 2 === 1) level.set(left[d]!, (from - 1) * HASH_BYTES)
    level = hashRows(core, 1, level, from >> 1, 2)
    levels.push(level)
  }
  return {
    root: level.slice(0, HASH_BYTES),
    first,
    path(index) {
      if (index < first || index >= count) throw new RangeError(`"index" expected ${first}..${count - 1}, got ${index}`)
      return levels.slice(0, -1).map((row, d) => {
        const sibling = (index >> d) ^ 1
        return row.slice(sibling * HASH_BYTES, (sibling + 1) * HASH_BYTES)
      })
    },
  }
}

/** H(tag ‖ `arity` neighbouring rows) for every group from group `from` on; earlier groups stay zero. */
function hashRows(core: Hashes, tag: number, row: Uint8Array, from: number, arity: number): Uint8Array {
  const width = arity * HASH_BYTES
  const groups = row.length / width
  const messages = new Uint8Array((groups - from) * (1 + width)).fill(tag)
  for (let i = from; i < groups; i++) {
    messages.set(row.subarray(i * width, (i + 1) * width), (i - from) * (1 + width) + 1)
  }
  const out = new Uint8Array(groups * HASH_BYTES)
  out.set(core.sha256Batch(messages, 1 + width), from * HASH_BYTES)
  return out
}
