/**
 * The Merkle tree of a sheet as PROTOCOL.md §5.2 writes it down, with all levels in memory. It is the oracle for the
 * node's tree (node/src/salt/sheets/sheet-tree.ts), which hashes in the core, and makes the paths of test federations.
 * `linesToTree` throws RangeError.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { HASH_BYTES } from '../wire/constants.ts'
import { concatBytes } from '../wire/encoding/bytes.ts'

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
