/**
 * The salts of an epoch under `plain`, and their commitments. PROTOCOL.md §5.1, §5.2. Pure; hashes through the core's batches.
 *   salt(size, n) = HMAC-SHA256(leaf_e, "geotrace/salt" ‖ size u8 ‖ n u32).
 */
import {
  BLOCKS_PER_EPOCH,
  COMMIT_MESSAGE_BYTES,
  commitMessage,
  EPOCH_MIN,
  epochToBlocks,
  SECRET_BYTES,
  utf8,
} from '@geotrace/core-wasm/wire'
import type { Hashes } from './ratchet.ts'

const SALT = utf8('geotrace/salt')
const SALT_MESSAGE_BYTES = SALT.length + 5
/** The constant start of every commit message, taken from `commitMessage` of the wire. */
const COMMIT_HEAD = commitMessage(5, 0, new Uint8Array(SECRET_BYTES)).slice(0, COMMIT_MESSAGE_BYTES - SECRET_BYTES - 5)

/** The blocks of an epoch by position; n counts from the epoch's first block. */
const BLOCKS = epochToBlocks(0)
const SALT_MESSAGES = blockMessages(SALT, SALT_MESSAGE_BYTES)
const COMMIT_MESSAGES = blockMessages(COMMIT_HEAD, COMMIT_MESSAGE_BYTES)

/** The 31 salts of an epoch by position, 32 bytes each. The caller wipes them. */
export function leafToSalts(core: Hashes, leaf: Uint8Array, epoch: number): Uint8Array {
  return core.hmacBatch(
    leaf,
    epochToMessages(SALT_MESSAGES, SALT_MESSAGE_BYTES, SALT.length, epoch),
    SALT_MESSAGE_BYTES,
  )
}

/** The commitments to the 31 salts of each epoch from `firstEpoch` on; `salts` holds 31 × 32 bytes an epoch. */
export function saltsToCommitments(core: Hashes, salts: Uint8Array, firstEpoch: number): Uint8Array {
  const epochs = salts.length / (BLOCKS_PER_EPOCH * SECRET_BYTES)
  const messages = new Uint8Array(epochs * COMMIT_MESSAGES.length)
  for (let e = 0; e < epochs; e++) {
    const some = epochToMessages(COMMIT_MESSAGES, COMMIT_MESSAGE_BYTES, COMMIT_HEAD.length, firstEpoch + e)
    messages.set(some, e * COMMIT_MESSAGES.length)
  }
  for (let i = 0; i < epochs * BLOCKS_PER_EPOCH; i++) {
    const salt = salts.subarray(i * SECRET_BYTES, (i + 1) * SECRET_BYTES)
    messages.set(salt, (i + 1) * COMMIT_MESSAGE_BYTES - SECRET_BYTES)
  }
  const commitments = core.sha256Batch(messages, COMMIT_MESSAGE_BYTES)
  messages.fill(0)
  return commitments
}

/** Template of an epoch's messages, head ‖ size u8 ‖ n u32 ‖ rest. Only `n` differs between epochs. */
function blockMessages(head: Uint8Array, length: number): Uint8Array {
  const messages = new Uint8Array(BLOCKS_PER_EPOCH * length)
  for (const [i, { size }] of BLOCKS.entries()) {
    messages.set(head, i * length)
    messages[i * length + head.length] = size
  }
  return messages
}

function epochToMessages(template: Uint8Array, length: number, headBytes: number, epoch: number): Uint8Array {
  const messages = template.slice()
  const view = new DataView(messages.buffer)
  for (const [i, { size, n }] of BLOCKS.entries()) {
    view.setUint32(i * length + headBytes + 1, epoch * (EPOCH_MIN / size) + n)
  }
  return messages
}
