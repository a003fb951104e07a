/**
 * /geotrace/seeds/1: the replicas of a shard give each other the seeds and the lines of its parts, over Noise. PROTOCOL.md
 * §4.7, §7.4. A replica answers only the other replicas of that shard, and gives a seed only to members of its part.
 *
 *  request: u8 version; u8 op; u8 federation[32]; u16 shard; u32 firstEpoch; body
 *                                                                  reply: u8 status (otherwise u32 number); body
 *    0 OFFER  u64 offered (bit = part)                                 –
 *    1 FETCH  u64 wanted (bit = part); u8 takerKey[32]                 u8 root[32]; u8 giverKey[32]; u8 count; WrappedSeed[count]
 *    2 LINES  u8 part; u32 from; u16 count ≤ 1024                      u8 maker; u8 signature[64]; u8 line[count][32]
 *  struct WrappedSeed { u8 part; u32 epoch; u8 wrapped[64]; u8 maker; u8 signature[64] }     // parts ascending
 */

import { sha256 } from '@noble/hashes/sha2.js'
import {
  ELEMENT_BYTES,
  HASH_BYTES,
  LINES_PER_REPLY_MAX,
  PARTS_MAX,
  PROTOCOL_VERSION,
  SEEDS_REPLY_MAX_BYTES,
  SEEDS_REQUEST_MAX_BYTES,
  SIGNATURE_BYTES,
  WRAPPED_SEED_BYTES,
} from '../constants.ts'
import { type ByteReader, type ByteWriter, byteReader, byteWriter } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'

/** The secret of one part for one period, ratcheted to `epoch`. The key of the quota table is erased together with it. */
export interface Seed {
  epoch: number
  state: Uint8Array
  quotaKey: Uint8Array
}
/** The fields of a seed that travel in clear. */
interface SeedLabel {
  epoch: number
  part: number
  /** Rank of the replica that made the seed. */
  maker: number
  /** The maker's, over `seedContent`. */
  signature: Uint8Array
}
/** A seed as its maker signed it. */
export interface PartSeed extends Seed, SeedLabel {}
/** A seed in a frame. State and quota key are wrapped under the one-time keys of the frame, so no buffer holds them. */
export interface WrappedSeed extends SeedLabel {
  wrapped: Uint8Array
}
/** Identifies a seed by the hash of all its lines. The maker signs these fields. */
interface SeedStatement {
  federation: Uint8Array
  /** Hash of the roster before the one that has this seed; at founding the federation id. */
  previous: Uint8Array
  shard: number
  firstEpoch: number
  part: number
  /** SHA-256 of the part's lines from the first epoch to the last of the reserve. */
  hash: Uint8Array
}
type SeedsBody =
  | { op: 'offer'; offered: number[] }
  | { op: 'fetch'; wanted: number[]; takerKey: Uint8Array }
  | { op: 'lines'; part: number; from: number; count: number }
/** The federation id shows a replica that runs with another manifest. The first epoch names the period. */
export type SeedsRequest = { federation: Uint8Array; shard: number; firstEpoch: number } & SeedsBody
/** The seeds that a replica holds of the parts that it was asked for. */
export interface SeedsReply {
  /** The root that the replica goes by; undefined while it lacks a seed or lines. */
  root: Uint8Array | undefined
  /** The one-time key of the giver; zeros without seeds. */
  giverKey: Uint8Array
  parts: WrappedSeed[]
}
/** Lines of a part, 32 bytes each, under the signature of the maker over all lines of the part. */
export interface LinesReply {
  maker: number
  signature: Uint8Array
  lines: Uint8Array
}

const OPS = ['offer', 'fetch', 'lines'] as const
const NO_ROOT = new Uint8Array(HASH_BYTES)
/** The u64 of OFFER and FETCH is written as two u32, the higher one first. */
const WORD_BITS = 32

export function seedContent(statement: SeedStatement): Uint8Array {
  return byteWriter(103)
    .bytes(statement.federation, HASH_BYTES)
    .bytes(statement.previous, HASH_BYTES)
    .u16(statement.shard)
    .u32(statement.firstEpoch)
    .u8(statement.part)
    .bytes(statement.hash, HASH_BYTES)
    .finish()
}

/** The hash by which the maker's signature names a seed, from all lines of its part. */
export function partLinesToHash(lines: Uint8Array): Uint8Array {
  return sha256(lines)
}

export function encodeSeedsRequest(request: SeedsRequest): Uint8Array {
  const writer = byteWriter(SEEDS_REQUEST_MAX_BYTES).u8(PROTOCOL_VERSION).u8(OPS.indexOf(request.op))
  writer.bytes(request.federation, HASH_BYTES).u16(request.shard).u32(request.firstEpoch)
  if (request.op === 'offer') writePartSet(writer, request.offered)
  else if (request.op === 'fetch') writePartSet(writer, request.wanted).bytes(request.takerKey, ELEMENT_BYTES)
  else writer.u8(request.part).u32(request.from).u16(request.count)
  return writer.finish()
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSeedsRequest(bytes: Uint8Array): SeedsRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const number = reader.u8()
  const op = OPS[number] ?? reader.refuse(`expected operation 0 to ${OPS.length - 1}, got ${number}`)
  const head = { federation: reader.bytes(HASH_BYTES), shard: reader.u16(), firstEpoch: reader.u32() }
  const request = { ...head, ...readBody(reader, op) }
  reader.end()
  return request
}

export function encodeSeedsReply({ root, giverKey, parts }: SeedsReply): Uint8Array {
  const writer = byteWriter(SEEDS_REPLY_MAX_BYTES).u8(STATUS_OK)
  writer.bytes(root ?? NO_ROOT, HASH_BYTES).bytes(giverKey, ELEMENT_BYTES)
  writeParts(writer, parts)
  return writer.finish()
}

/** Throws MESSAGE_MALFORMED, and the error of a refusal. */
export function decodeSeedsReply(bytes: Uint8Array): SeedsReply {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const root = reader.bytes(HASH_BYTES)
  const giverKey = reader.bytes(ELEMENT_BYTES)
  const parts = readParts(reader)
  reader.end()
  return { root: root.every((byte) => byte === 0) ? undefined : root, giverKey, parts }
}

export function encodeLinesReply({ maker, signature, lines }: LinesReply): Uint8Array {
  return byteWriter(SEEDS_REPLY_MAX_BYTES)
    .u8(STATUS_OK)
    .u8(maker)
    .bytes(signature, SIGNATURE_BYTES)
    .bytes(lines)
    .finish()
}

/** Throws MESSAGE_MALFORMED, and the error of a refusal. */
export function decodeLinesReply(bytes: Uint8Array): LinesReply {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const head = { maker: reader.u8(), signature: reader.bytes(SIGNATURE_BYTES) }
  if (reader.left % HASH_BYTES !== 0) reader.refuse(`expected whole lines of ${HASH_BYTES} bytes, got ${reader.left}`)
  if (reader.left > LINES_PER_REPLY_MAX * HASH_BYTES) reader.refuse(`expected at most ${LINES_PER_REPLY_MAX} lines`)
  return { ...head, lines: reader.bytes(reader.left) }
}

function readBody(reader: ByteReader, op: SeedsBody['op']): SeedsBody {
  if (op === 'offer') return { op, offered: readPartSet(reader) }
  if (op === 'fetch') return { op, wanted: readPartSet(reader), takerKey: reader.bytes(ELEMENT_BYTES) }
  const lines = { part: readPart(reader), from: reader.u32(), count: reader.u16() }
  if (lines.count > LINES_PER_REPLY_MAX) reader.refuse(`expected at most ${LINES_PER_REPLY_MAX} lines`)
  return { op, ...lines }
}

function writePartSet(writer: ByteWriter, parts: readonly number[]): ByteWriter {
  const word = (from: number): number =>
    parts.filter((part) => part >= from && part < from + WORD_BITS).reduce((sum, part) => sum + 2 ** (part - from), 0)
  return writer.u32(word(WORD_BITS)).u32(word(0))
}

function readPartSet(reader: ByteReader): number[] {
  const [high, low] = [reader.u32(), reader.u32()]
  const bits = (word: number, from: number): number[] =>
    Array.from({ length: WORD_BITS }, (_, bit) => bit).flatMap((bit) => ((word >>> bit) & 1 ? [from + bit] : []))
  const parts = [...bits(low, 0), ...bits(high, WORD_BITS)]
  if ((parts.at(-1) ?? 0) >= PARTS_MAX) reader.refuse(`expected parts below ${PARTS_MAX}, got ${parts.at(-1)}`)
  return parts
}

function readPart(reader: ByteReader): number {
  const part = reader.u8()
  return part < PARTS_MAX ? part : reader.refuse(`expected a part below ${PARTS_MAX}, got ${part}`)
}

function writeParts(writer: ByteWriter, parts: readonly WrappedSeed[]): void {
  writer.u8(parts.length)
  for (const { part, epoch, wrapped, maker, signature } of parts) {
    writer.u8(part).u32(epoch).bytes(wrapped, WRAPPED_SEED_BYTES)
    writer.u8(maker).bytes(signature, SIGNATURE_BYTES)
  }
}

function readParts(reader: ByteReader): WrappedSeed[] {
  const count = reader.u8()
  if (count > PARTS_MAX) reader.refuse(`expected at most ${PARTS_MAX} seeds, got ${count}`)
  const parts: WrappedSeed[] = []
  for (let i = 0; i < count; i++) {
    const part = readPart(reader)
    if (part <= (parts.at(-1)?.part ?? -1)) reader.refuse(`expected ascending parts, got ${part}`)
    const [epoch, wrapped] = [reader.u32(), reader.bytes(WRAPPED_SEED_BYTES)]
    parts.push({ part, epoch, wrapped, maker: reader.u8(), signature: reader.bytes(SIGNATURE_BYTES) })
  }
  return parts
}
