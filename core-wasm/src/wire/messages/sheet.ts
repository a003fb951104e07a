/**
 * The sheet: commitments to all salts of one shard for one period and its reserve. PROTOCOL.md §5.2.
 * A client that holds the root of a sheet can check every salt itself. A sheet commits to secrets and names no place.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { BLOCKS_PER_EPOCH, HASH_BYTES, SECRET_BYTES } from '../constants.ts'
import { byteWriter, concatBytes, utf8 } from '../encoding/bytes.ts'
import { epochToBlocks } from '../window.ts'

const COMMIT = utf8('geotrace/commit')
/** "geotrace/commit" ‖ size u8 ‖ n u32 ‖ salt 32. */
export const COMMIT_MESSAGE_BYTES = COMMIT.length + 5 + SECRET_BYTES

/** Identifies a sheet and its range. A replica signs these fields. */
export interface Sheet {
  federation: Uint8Array
  /** Hash of the roster before the one that has this sheet; at founding the federation id. */
  previous: Uint8Array
  shard: number
  firstEpoch: number
  /** Number of lines: period plus reserve. */
  epochs: number
  root: Uint8Array
}

/** H("geotrace/commit" ‖ size ‖ n ‖ salt), 32 bytes. */
export function saltToCommitment(size: number, n: number, salt: Uint8Array): Uint8Array {
  return sha256(commitMessage(size, n, salt))
}

/** The bytes that `saltToCommitment` hashes, for batches. */
export function commitMessage(size: number, n: number, salt: Uint8Array): Uint8Array {
  return byteWriter(COMMIT_MESSAGE_BYTES).bytes(COMMIT).u8(size).u32(n).bytes(salt, SECRET_BYTES).finish()
}

/** The line of an epoch: SHA-256 of its 31 commitments in order of position. */
export function commitmentsToLine(commitments: Uint8Array): Uint8Array {
  if (commitments.length !== BLOCKS_PER_EPOCH * HASH_BYTES) {
    throw new RangeError(`"commitments" expected ${BLOCKS_PER_EPOCH} × 32 bytes, got ${commitments.length}`)
  }
  return sha256(commitments)
}

/**
 * The line of an epoch from the 31 entries of an answer. An entry is a salt where the bit of its position is set in
 * `mask`, else a commitment.
 */
export function entriesToLine(epoch: number, mask: number, entries: readonly Uint8Array[]): Uint8Array {
  const commitments = epochToBlocks(epoch).map(({ size, n }, position) =>
    (mask >>> position) & 1 ? saltToCommitment(size, n, entries[position]!) : entries[position]!,
  )
  return commitmentsToLine(concatBytes(...commitments))
}

export function sheetContent(sheet: Sheet): Uint8Array {
  return byteWriter(106)
    .bytes(sheet.federation, HASH_BYTES)
    .bytes(sheet.previous, HASH_BYTES)
    .u16(sheet.shard)
    .u32(sheet.firstEpoch)
    .u32(sheet.epochs)
    .bytes(sheet.root, HASH_BYTES)
    .finish()
}
