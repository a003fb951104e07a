/**
 * Merkle tree over 32-byte lines, padded with zero lines to a power of two. PROTOCOL.md §5.2.
 * leaf = H(0x00 ‖ line), node = H(0x01 ‖ left ‖ right), as RFC 6962 separates them.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { HASH_BYTES } from '../constants.ts'
import { concatBytes, equalBytes } from './bytes.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** All levels, leaves first; `lines` is count × 32 bytes. */
export function linesToTree(lines: Uint8Array): Uint8Array[][] {
  const count = lines.length / HASH_BYTES
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`"lines" expected n × 32 bytes, got ${lines.length}`)
  const width = 2 ** Math.ceil(Math.log2(count))
  const zero = new Uint8Array(HASH_BYTES)
  let level = Array.from({ length: width }, (_, i) =>
    sha256(concatBytes(LEAF, i < count ? lines.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES) : zero)),
  )
  const levels = [level]
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      sha256(concatBytes(NODE, level[2 * i]!, level[2 * i + 1]!)),
    )
    levels.push(level)
  }
  return levels
}

export function treeToRoot(tree: Uint8Array[][]): Uint8Array {
  return tree.at(-1)![0]!
}

/** The siblings from the leaf up. */
export function treeToPath(tree: Uint8Array[][], index: number): Uint8Array[] {
  return tree.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1]!)
}

/** Whether `line` stands at `index` under `root`; `count` lines fix the depth of the path. */
export function isValidPath(
  line: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index < 0 || index >= count || path.length !== Math.ceil(Math.log2(count))) return false
  let hash = sha256(concatBytes(LEAF, line))
  path.forEach((sibling, depth) => {
    hash = (index >> depth) & 1 ? sha256(concatBytes(NODE, sibling, hash)) : sha256(concatBytes(NODE, hash, sibling))
  })
  return equalBytes(hash, root)
}
