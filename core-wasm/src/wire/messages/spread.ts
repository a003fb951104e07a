/**
 * /geotrace/spread/1: the central peer brings the slips of a period to the mixer, and the mixer's items to the teller.
 * PROTOCOL.md §9.8. All parts but the last are full. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, the refusal's error.
 *
 *  request  u8 version; u8 op; u32 period; body                       reply  u8 status (otherwise u32 number); body
 *    0 SLIPS    u8 batch[32]; u16 part; u16 parts; u16 count; slip[count]               –
 *    1 ITEMS    u8 batch[32]; u16 part; u16 parts; u8 signature[64]; u16 count; item[count]   –
 *    2 MIXED    u16 part          u8 batch[32]; u8 signature[64]; u16 parts; u16 count; item[count]
 *    3 COUNTED  –                 Spread
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  HASH_BYTES,
  PROTOCOL_VERSION,
  SIGNATURE_BYTES,
  SPREAD_ITEM_BYTES,
  SPREAD_PART_MAX,
  SPREAD_PARTS_MAX,
  SPREAD_SLIP_BYTES,
} from '../constants.ts'
import { type ByteReader, byteReader, byteWriter } from '../encoding/bytes.ts'
import { SPREAD_PROTOCOL } from '../encoding/protocols.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'

const OPS = ['slips', 'items', 'mixed', 'counted'] as const

/** One part of a batch. */
export interface BatchPart {
  /** `batchToDigest` of all slips or items in order. */
  batch: Uint8Array
  part: number
  parts: number
  /** The slips or items of this part, one after the other. */
  content: Uint8Array
}
/** A part of the mixer's items. `signature`: `signMixed` of the batch. */
interface MixedPart extends BatchPart {
  signature: Uint8Array
}
export type SpreadRequest = { period: number } & (
  | ({ op: 'slips' } & BatchPart)
  | ({ op: 'items' } & MixedPart)
  | { op: 'mixed'; part: number }
  | { op: 'counted' }
)

/** The digest of a batch of slips or items. */
export function batchToDigest(content: Uint8Array): Uint8Array {
  return sha256(content)
}

export function signMixed(mixer: Signer, federation: Uint8Array, period: number, batch: Uint8Array): Uint8Array {
  return signContent(mixer, 'geotrace/mixed', mixedContent(federation, period, batch))
}

export function isValidMixed(
  mixerKey: Uint8Array,
  federation: Uint8Array,
  period: number,
  { batch, signature }: Pick<MixedPart, 'batch' | 'signature'>,
): boolean {
  return isValidSignature(mixerKey, 'geotrace/mixed', mixedContent(federation, period, batch), signature)
}

/** The parts of a batch, of at most `SPREAD_PART_MAX` slips or items of this size. */
export function batchToParts(content: Uint8Array, itemBytes: number): BatchPart[] {
  const partBytes = SPREAD_PART_MAX * itemBytes
  const parts = Math.max(1, Math.ceil(content.length / partBytes))
  const batch = batchToDigest(content)
  return Array.from({ length: parts }, (_, part) => ({
    batch,
    part,
    parts,
    content: content.subarray(part * partBytes, (part + 1) * partBytes),
  }))
}

export function encodeSpreadRequest(request: SpreadRequest): Uint8Array {
  const writer = byteWriter(SPREAD_PROTOCOL.requestMaxBytes).u8(PROTOCOL_VERSION)
  writer.u8(OPS.indexOf(request.op)).u32(request.period)
  switch (request.op) {
    case 'slips':
    case 'items': {
      writer.bytes(request.batch, HASH_BYTES).u16(request.part).u16(request.parts)
      if (request.op === 'items') writer.bytes(request.signature, SIGNATURE_BYTES)
      return writer
        .u16(request.content.length / itemBytesOf(request.op))
        .bytes(request.content)
        .finish()
    }
    case 'mixed':
      return writer.u16(request.part).finish()
    case 'counted':
      return writer.finish()
  }
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSpreadRequest(bytes: Uint8Array): SpreadRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const op = OPS[reader.u8()] ?? reader.refuse(`expected an operation 0 to ${OPS.length - 1}`)
  const request = { period: reader.u32(), ...readBody(reader, op) }
  reader.end()
  return request
}

function readBody(reader: ByteReader, op: SpreadRequest['op']) {
  switch (op) {
    case 'slips': {
      const head = { op, batch: reader.bytes(HASH_BYTES), ...readPlace(reader) }
      return { ...head, content: readContent(reader, head, SPREAD_SLIP_BYTES) }
    }
    case 'items': {
      const head = { op, batch: reader.bytes(HASH_BYTES), ...readPlace(reader) }
      const signature = reader.bytes(SIGNATURE_BYTES)
      return { ...head, signature, content: readContent(reader, head, SPREAD_ITEM_BYTES) }
    }
    case 'mixed':
      return { op, part: reader.u16() }
    case 'counted':
      return { op }
  }
}

export function encodeMixedReply({ batch, signature, part, parts, content }: MixedPart): Uint8Array {
  const writer = byteWriter(SPREAD_PROTOCOL.replyMaxBytes).u8(STATUS_OK).bytes(batch, HASH_BYTES)
  writer
    .bytes(signature, SIGNATURE_BYTES)
    .u16(part)
    .u16(parts)
    .u16(content.length / SPREAD_ITEM_BYTES)
  return writer.bytes(content).finish()
}

/** Throws the refusal's error, MESSAGE_MALFORMED. */
export function decodeMixedReply(bytes: Uint8Array): MixedPart {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const head = { batch: reader.bytes(HASH_BYTES), signature: reader.bytes(SIGNATURE_BYTES), ...readPlace(reader) }
  const reply = { ...head, content: readContent(reader, head, SPREAD_ITEM_BYTES) }
  reader.end()
  return reply
}

function readPlace(reader: ByteReader): { part: number; parts: number } {
  const [part, parts] = [reader.u16(), reader.u16()]
  if (parts < 1 || parts > SPREAD_PARTS_MAX || part >= parts)
    reader.refuse(`expected a part below 1 to ${SPREAD_PARTS_MAX} parts`)
  return { part, parts }
}

function readContent(reader: ByteReader, place: { part: number; parts: number }, itemBytes: number): Uint8Array {
  const count = reader.u16()
  const isLast = place.part === place.parts - 1
  if (count < 1 || count > SPREAD_PART_MAX || (!isLast && count !== SPREAD_PART_MAX))
    reader.refuse(`expected ${SPREAD_PART_MAX} in a part, or fewer in the last one, got ${count}`)
  return reader.bytes(count * itemBytes)
}

function itemBytesOf(op: 'slips' | 'items'): number {
  return op === 'slips' ? SPREAD_SLIP_BYTES : SPREAD_ITEM_BYTES
}

function mixedContent(federation: Uint8Array, period: number, batch: Uint8Array): Uint8Array {
  const writer = byteWriter(2 * HASH_BYTES + 4).bytes(federation, HASH_BYTES)
  return writer.u32(period).bytes(batch, HASH_BYTES).finish()
}
