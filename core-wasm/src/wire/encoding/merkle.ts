/**
 * Checks Merkle paths over 32-byte lines, which zero lines pad to a power of two. PROTOCOL.md §5.2.
 * leaf = H(0x00 ‖ line), node = H(0x01 ‖ left ‖ right): RFC 6962 separates leaves and nodes in the same way.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from './bytes.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Whether `line` stands at `index` under `root`. The number of lines, `count`, fixes the length of the path. */
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
