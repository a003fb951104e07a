/**
 * How each salting makes the lines of a sheet. PROTOCOL.md §5.2, §5.7. Pure.
 * - `plain`: the line of the only part commits to the 31 salts of an epoch, and is the line of the sheet.
 * - `threshold`: the line of a part is its part key. A line of the sheet is the hash of the keys of all parts.
 */
import { BLOCKS_PER_EPOCH, HASH_BYTES, SECRET_BYTES } from '@geotrace/core-wasm/wire'
import { leafToPartSecret, type ScalarGroup } from '../secrets/part-secret.ts'
import { leafToSalts, saltsToCommitments } from '../secrets/plain-salts.ts'
import type { Hashes } from '../secrets/ratchet.ts'
import type { LineRule } from './sheet-maker.ts'

/** The rule of one salting. */
export interface SheetRule extends LineRule {
  /** The lines of the sheet from those of all parts, in the order of the parts; 32 bytes for each epoch. */
  toSheet(partLines: readonly Uint8Array[]): Uint8Array
}

/** The operations of ristretto255 that a line needs. `Group` of `@geotrace/core-wasm/voprf` has them. */
export interface LineGroup extends ScalarGroup {
  /** scalar · G. */
  multiplyBase(scalar: Uint8Array): Uint8Array
}

/** 64 × 62 hashes take some milliseconds. */
const PLAIN_SLICE_EPOCHS = 64
/** 32 multiplications of the generator take some milliseconds. */
const THRESHOLD_SLICE_EPOCHS = 32
const SALTS_BYTES = BLOCKS_PER_EPOCH * SECRET_BYTES

export function plainRule(core: Hashes): SheetRule {
  return {
    sliceEpochs: PLAIN_SLICE_EPOCHS,
    toLines(leaves, epoch) {
      const salts = new Uint8Array(leaves.length * SALTS_BYTES)
      for (const [i, leaf] of leaves.entries()) {
        const some = leafToSalts(core, leaf, epoch + i)
        salts.set(some, i * SALTS_BYTES)
        some.fill(0)
      }
      const commitments = saltsToCommitments(core, salts, epoch)
      salts.fill(0)
      return core.sha256Batch(commitments, BLOCKS_PER_EPOCH * HASH_BYTES)
    },
    toSheet: ([lines]) => lines!,
  }
}

export function thresholdRule(core: Hashes, group: LineGroup): SheetRule {
  return {
    sliceEpochs: THRESHOLD_SLICE_EPOCHS,
    toLines(leaves) {
      const keys = new Uint8Array(leaves.length * HASH_BYTES)
      for (const [i, leaf] of leaves.entries()) keys.set(leafToPartKey(group, leaf), i * HASH_BYTES)
      return keys
    },
    toSheet(partLines) {
      const rowBytes = partLines.length * HASH_BYTES
      const rows = new Uint8Array((partLines[0]!.length / HASH_BYTES) * rowBytes)
      for (const [part, lines] of partLines.entries()) {
        for (let i = 0; i * HASH_BYTES < lines.length; i++) {
          rows.set(lines.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES), i * rowBytes + part * HASH_BYTES)
        }
      }
      return core.sha256Batch(rows, rowBytes)
    },
  }
}

/** P = s · G for the secret s of the part. */
function leafToPartKey(group: LineGroup, leaf: Uint8Array): Uint8Array {
  const secret = leafToPartSecret(group, leaf)
  const key = group.multiplyBase(secret)
  secret.fill(0)
  return key
}
