/**
 * /geotrace/roster/1: rosters for everybody, sheets and votes among members. PROTOCOL.md §7.3.
 *
 *  request: u8 version; u8 op; body           reply: u8 status (otherwise u32 number); body
 *    0 GET      u32 height                       CertifiedRoster CBOR, or nothing when there is none
 *    1 SHEETS   –                                count u16, { u16 shard, root 32, signature 64 }
 *    2 VOTE     CertifiedRoster CBOR, no votes   u16 operator, signature 64
 *    3 CERTIFY  CertifiedRoster CBOR             –
 *    4 TIME     –                                u64 Unix ms
 * GET is for everybody; the rest only between peers of the manifest.
 */
import { type ByteReader, byteReader, byteWriter } from './bytes.ts'
import { HASH_BYTES, PROTOCOL_VERSION, SIGNATURE_BYTES } from './constants.ts'
import { ROSTER_FRAME_MAX_BYTES } from './protocols.ts'
import type { Vote } from './roster.ts'
import { assertVersion, STATUS_OK, throwRefusal } from './status.ts'

const OPS = ['get', 'sheets', 'vote', 'certify', 'time'] as const

export type RosterRequest =
  | { op: 'get'; height: number }
  | { op: 'sheets' }
  | { op: 'vote'; proposal: Uint8Array }
  | { op: 'certify'; certified: Uint8Array }
  | { op: 'time' }

/** A replica's signature under the sheet of one shard. */
export interface SignedSheet {
  shard: number
  root: Uint8Array
  signature: Uint8Array
}

export function encodeRosterRequest(request: RosterRequest): Uint8Array {
  const writer = byteWriter(ROSTER_FRAME_MAX_BYTES).u8(PROTOCOL_VERSION).u8(OPS.indexOf(request.op))
  if (request.op === 'get') writer.u32(request.height)
  if (request.op === 'vote') writer.bytes(request.proposal)
  if (request.op === 'certify') writer.bytes(request.certified)
  return writer.finish()
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeRosterRequest(bytes: Uint8Array): RosterRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const op = OPS[reader.u8()] ?? reader.refuse('no such operation')
  const request: RosterRequest =
    op === 'get'
      ? { op, height: reader.u32() }
      : op === 'vote'
        ? { op, proposal: reader.bytes(reader.left) }
        : op === 'certify'
          ? { op, certified: reader.bytes(reader.left) }
          : { op }
  reader.end()
  return request
}

/** The reply to GET: the certified roster of that height, or nothing. */
export function encodeRosterReply(certified: Uint8Array = new Uint8Array(0)): Uint8Array {
  return byteWriter(ROSTER_FRAME_MAX_BYTES).u8(STATUS_OK).bytes(certified).finish()
}

export function decodeRosterReply(bytes: Uint8Array): Uint8Array | undefined {
  const reader = opened(bytes)
  return reader.left === 0 ? undefined : reader.bytes(reader.left)
}

export function encodeSheetsReply(sheets: readonly SignedSheet[]): Uint8Array {
  const writer = byteWriter(ROSTER_FRAME_MAX_BYTES).u8(STATUS_OK).u16(sheets.length)
  for (const { shard, root, signature } of sheets) {
    writer.u16(shard).bytes(root, HASH_BYTES).bytes(signature, SIGNATURE_BYTES)
  }
  return writer.finish()
}

export function decodeSheetsReply(bytes: Uint8Array): SignedSheet[] {
  const reader = opened(bytes)
  const sheets = Array.from({ length: reader.u16() }, () => ({
    shard: reader.u16(),
    root: reader.bytes(HASH_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES),
  }))
  reader.end()
  return sheets
}

export function encodeVoteReply({ operator, signature }: Vote): Uint8Array {
  return byteWriter(67).u8(STATUS_OK).u16(operator).bytes(signature, SIGNATURE_BYTES).finish()
}

export function decodeVoteReply(bytes: Uint8Array): Vote {
  const reader = opened(bytes)
  const vote = { operator: reader.u16(), signature: reader.bytes(SIGNATURE_BYTES) }
  reader.end()
  return vote
}

/** The empty reply to CERTIFY. */
export function encodeDone(): Uint8Array {
  return Uint8Array.of(STATUS_OK)
}

export function decodeDone(bytes: Uint8Array): void {
  opened(bytes).end()
}

export function encodeTimeReply(time: number): Uint8Array {
  return byteWriter(9).u8(STATUS_OK).time(time).finish()
}

export function decodeTimeReply(bytes: Uint8Array): number {
  const reader = opened(bytes)
  const time = reader.time()
  reader.end()
  return time
}

function opened(bytes: Uint8Array): ByteReader {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  return reader
}
