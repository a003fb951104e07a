/**
 * /geotrace/salt/1: salts for time blocks of one shard. PROTOCOL.md §7.1.
 *
 *  struct SaltRequest {            struct SaltAnswer {
 *    u8  version;  // 1              u8  status;          // 0; otherwise u32 number and the end
 *    u8  suite;    // 0 plain        u64 time;            // the node's clock, Unix ms
 *    u8  roster[8];                  u8  roster[8]; u16 shard;
 *    u16 shard;                      u8  count;           // epochs, ascending
 *    u8  count;    // 1..90          { u32 epoch; u32 mask; u8 entry[31][32];
 *    { u8 size; u32 n } [count];       u8 depth; u8 path[depth][32] } [count];
 *  }                                 u8  signature[64];   // over H(request) ‖ all before it
 *                                  }
 * A request carries time and shard only: no field can name a place.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  BLOCKS_PER_EPOCH,
  EPOCHS_PER_ANSWER_MAX,
  HASH_BYTES,
  PATH_MAX,
  PROTOCOL_VERSION,
  ROSTER_NAME_BYTES,
  SALT_ANSWER_MAX_BYTES,
  SALT_REQUEST_MAX_BYTES,
  SALTS_PER_REQUEST_MAX,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { byteReader, byteWriter, concatBytes } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'
import { FederationError } from '../errors.ts'
import { blockToEpoch, blockToPosition, isValidBlockSize } from '../window.ts'

const SUITE_PLAIN = 0

export interface Block {
  /** Minutes. */
  size: number
  n: number
}
interface SaltRequest {
  roster: Uint8Array
  shard: number
  /** Distinct, ascending by size, then n. */
  blocks: Block[]
}
/** One epoch of an answer: 31 entries by position, each a salt (bit of `mask` set) or a commitment, and a Merkle path. */
export interface AnswerEpoch {
  epoch: number
  mask: number
  entries: Uint8Array[]
  path: Uint8Array[]
}
export interface SaltAnswer {
  time: number
  roster: Uint8Array
  shard: number
  epochs: AnswerEpoch[]
  signature: Uint8Array
}

export function compareBlocks(a: Block, b: Block): number {
  return a.size - b.size || a.n - b.n
}

/** Throws RangeError unless there are 1 to 90 distinct ascending blocks. */
export function encodeSaltRequest({ roster, shard, blocks }: SaltRequest): Uint8Array {
  if (blocks.length < 1 || blocks.length > SALTS_PER_REQUEST_MAX) {
    throw new RangeError(`"blocks" expected 1..${SALTS_PER_REQUEST_MAX} items, got ${blocks.length}`)
  }
  const writer = byteWriter(SALT_REQUEST_MAX_BYTES).u8(PROTOCOL_VERSION).u8(SUITE_PLAIN)
  writer.bytes(roster, ROSTER_NAME_BYTES).u16(shard).u8(blocks.length)
  blocks.forEach((block, i) => {
    if (i > 0 && compareBlocks(blocks[i - 1]!, block) >= 0)
      throw new RangeError('"blocks" expected ascending and distinct')
    writer.u8(block.size).u32(block.n)
  })
  return writer.finish()
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, SUITE_UNKNOWN, TOO_MANY_SALTS. */
export function decodeSaltRequest(bytes: Uint8Array): SaltRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const suite = reader.u8()
  if (suite !== SUITE_PLAIN)
    throw new FederationError('SUITE_UNKNOWN', `expected salting suite ${SUITE_PLAIN}, got ${suite}`, { suite })
  const roster = reader.bytes(ROSTER_NAME_BYTES)
  const shard = reader.u16()
  const count = reader.u8()
  if (count < 1 || count > SALTS_PER_REQUEST_MAX) {
    throw new FederationError(
      'TOO_MANY_SALTS',
      `expected 1 to ${SALTS_PER_REQUEST_MAX} blocks in a request, got ${count}: split the request`,
      {
        count,
      },
    )
  }
  const blocks: Block[] = []
  for (let i = 0; i < count; i++) {
    const block = { size: reader.u8(), n: reader.u32() }
    if (!isValidBlockSize(block.size)) reader.refuse(`expected a block size of 5, 10, 20, 40 or 80, got ${block.size}`)
    if (i > 0 && compareBlocks(blocks[i - 1]!, block) >= 0) reader.refuse('expected ascending blocks, each once')
    blocks.push(block)
  }
  reader.end()
  return { roster, shard, blocks }
}

/** The answer without its signature, which is over `answerContent(request, unsigned)`. */
export function encodeUnsignedAnswer({ time, roster, shard, epochs }: Omit<SaltAnswer, 'signature'>): Uint8Array {
  if (epochs.length < 1 || epochs.length > EPOCHS_PER_ANSWER_MAX) {
    throw new RangeError(`"epochs" expected 1..${EPOCHS_PER_ANSWER_MAX} items, got ${epochs.length}`)
  }
  const writer = byteWriter(SALT_ANSWER_MAX_BYTES - SIGNATURE_BYTES)
    .u8(STATUS_OK)
    .time(time)
  writer.bytes(roster, ROSTER_NAME_BYTES).u16(shard).u8(epochs.length)
  for (const { epoch, mask, entries, path } of epochs) {
    if (entries.length !== BLOCKS_PER_EPOCH) throw new RangeError(`"entries" expected 31 items, got ${entries.length}`)
    writer.u32(epoch).u32(mask)
    for (const entry of entries) writer.bytes(entry, HASH_BYTES)
    if (path.length > PATH_MAX) throw new RangeError(`"path" expected at most ${PATH_MAX} items, got ${path.length}`)
    writer.u8(path.length)
    for (const sibling of path) writer.bytes(sibling, HASH_BYTES)
  }
  return writer.finish()
}

/** The bytes that the node signs. The hash of the request binds the answer to it. */
export function answerContent(request: Uint8Array, unsigned: Uint8Array): Uint8Array {
  return concatBytes(sha256(request), unsigned)
}

/** Decodes only; `answerToSalts` checks the salts. Throws the refusal's error, MESSAGE_MALFORMED. */
export function decodeSaltAnswer(bytes: Uint8Array): SaltAnswer & { unsigned: Uint8Array } {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const time = reader.time()
  const roster = reader.bytes(ROSTER_NAME_BYTES)
  const shard = reader.u16()
  const count = reader.u8()
  if (count < 1 || count > EPOCHS_PER_ANSWER_MAX)
    reader.refuse(`expected 1 to ${EPOCHS_PER_ANSWER_MAX} epochs, got ${count}`)
  const epochs: AnswerEpoch[] = []
  for (let i = 0; i < count; i++) {
    const epoch = reader.u32()
    if (i > 0 && epochs[i - 1]!.epoch >= epoch) reader.refuse('expected ascending epochs, each once')
    const mask = reader.u32()
    if (mask >>> BLOCKS_PER_EPOCH !== 0) reader.refuse('expected a mask of 31 bits')
    const entries = Array.from({ length: BLOCKS_PER_EPOCH }, () => reader.bytes(HASH_BYTES))
    const depth = reader.u8()
    if (depth > PATH_MAX) reader.refuse(`expected a path of at most ${PATH_MAX}, got ${depth}`)
    epochs.push({ epoch, mask, entries, path: Array.from({ length: depth }, () => reader.bytes(HASH_BYTES)) })
  }
  const unsigned = bytes.slice(0, reader.offset)
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  return { time, roster, shard, epochs, signature, unsigned }
}

/** The mask of each epoch in a list of blocks, epochs ascending. */
export function blocksToMasks(blocks: readonly Block[]): Map<number, number> {
  const masks = new Map<number, number>()
  for (const { size, n } of blocks) {
    const epoch = blockToEpoch(size, n)
    masks.set(epoch, ((masks.get(epoch) ?? 0) | (1 << blockToPosition(size, n))) >>> 0)
  }
  return new Map([...masks].sort(([a], [b]) => a - b))
}
