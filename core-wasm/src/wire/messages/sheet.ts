/**
 * The sheet: commitments to all salts of one shard for one period and its reserve. PROTOCOL.md §5.2.
 * A client that holds the sheet's root needs to trust no node for a salt. Commits to secrets, names no place.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { BLOCKS_PER_EPOCH, HASH_BYTES, SECRET_BYTES } from '../constants.ts'
import { byteWriter, concatBytes, utf8 } from '../encoding/bytes.ts'
import { epochToBlocks } from '../window.ts'

const COMMIT = utf8('geotrace/commit')
/** "geotrace/commit" ‖ size u8 ‖ n u32 ‖ salt 32. */
export const COMMIT_MESSAGE_BYTES = COMMIT.length + 5 + SECRET_BYTES

/** Names a sheet and what it covers; the content of a replica's signature. */
export interface Sheet {
  federation: Uint8Array
  shard: number
  firstEpoch: number
  /** Lines: period plus reserve. */
  epochs: number
  root: Uint8Array
}

/** H("geotrace/commit" ‖ size ‖ n ‖ salt), 32 bytes. */
export function saltToCommitment(size: number, n: number, salt: Uint8Array): Uint8Array {
  return sha256(commitMessage(size, n, salt))
}

/** The bytes hashed by `saltToCommitment`, for batches. */
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
 * The line of an epoch from the 31 entries of an answer, each a salt (its bit of `mask` set, bit = position)
 * or its commitment.
 */
export function entriesToLine(epoch: number, mask: number, entries: readonly Uint8Array[]): Uint8Array {
  const commitments = epochToBlocks(epoch).map(({ size, n }, position) =>
    (mask >>> position) & 1 ? saltToCommitment(size, n, entries[position]!) : entries[position]!,
  )
  return commitmentsToLine(concatBytes(...commitments))
}

export function sheetContent(sheet: Sheet): Uint8Array {
  return byteWriter(74)
    .bytes(sheet.federation, HASH_BYTES)
    .u16(sheet.shard)
    .u32(sheet.firstEpoch)
    .u32(sheet.epochs)
    .bytes(sheet.root, HASH_BYTES)
    .finish()
}
