/**
 * /geotrace/sync/1: a deposit with or without a report, and the marks in reply. PROTOCOL.md §7.2.
 *
 *  struct SyncRequest {                         struct SyncReply {
 *    u8  version;  // 1                           u8  status;        // 0; otherwise u32 number and the end
 *    u8  userSecret[32];                          u8  report;        // 0 none, 1 accepted, 2.. refused
 *    u8  syncId[16];                              u64 time;          // the central peer's clock, Unix ms
 *    u8  kind;     // 0 none, 1 code, 2 erase     u32 generation;
 *    u8  body[31]; // the code, zero-padded       u32 cursor;        // pass it in the next sync
 *    u32 generation;                              u32 left;          // marks after the cursor
 *    u32 cursor;                                  u8  refused;       // { u32 epoch; u8 reason; u8 roster[8] } [refused]
 *    u8  count;                                   u16 count;         // { u32 epoch; u8 hash[12]; u8 degree;
 *    { u32 epoch; u8 roster[8]; u16 count;                          //   u16 weight; u8 lag } [count]
 *      { u8 hash[12]; u8 meta } [count] } [count] u8  zero[];        // up to the one reply size
 *    u8  zero[];   // up to a size class        }
 *  }
 * meta = size index (3 bits) | lag mask << 3 (2 bits). A deposit carries hashes and epochs only: no field can name a
 * place.
 */

import {
  BLOCK_SIZES_MIN,
  PROTOCOL_VERSION,
  REPORT_CODE_BYTES,
  RISK_HASH_BYTES,
  ROSTER_NAME_BYTES,
  ROWS_PER_EPOCH_MAX,
  SYNC_GROUPS_MAX,
  SYNC_ID_BYTES,
  SYNC_REQUEST_MAX_BYTES,
  USER_SECRET_BYTES,
} from '../constants.ts'
import { byteReader, byteWriter, equalBytes } from '../encoding/bytes.ts'
import { assertVersion } from '../encoding/version.ts'

export const ROW_BYTES = RISK_HASH_BYTES + 1
export const MARK_BYTES = 4 + RISK_HASH_BYTES + 4
export const SYNC_HEAD_BYTES = 1 + USER_SECRET_BYTES + SYNC_ID_BYTES + 32 + 8 + 1
export const GROUP_HEAD_BYTES = 4 + ROSTER_NAME_BYTES + 2
const KIND_BODY_BYTES = 31

/** One deposited risk hash. */
export interface Row {
  hash: Uint8Array
  /** Minutes. */
  size: number
  /** LAG_CURRENT | LAG_NEXT. */
  lags: number
}
export interface RowGroup {
  epoch: number
  roster: Uint8Array
  /** Ascending by hash, distinct. */
  rows: Row[]
}
export type SyncKind = { kind: 'none' } | { kind: 'code'; code: Uint8Array } | { kind: 'erase' }
export interface SyncRequest {
  userSecret: Uint8Array
  syncId: Uint8Array
  report: SyncKind
  /** Generation and cursor of the last reply that the client read; 0, 0 at first. */
  generation: number
  cursor: number
  groups: RowGroup[]
}

export const REPORT_STATUSES = [
  'none',
  'accepted',
  'code-unknown',
  'code-spent',
  'code-expired',
  'too-many-attempts',
] as const
export type ReportStatus = (typeof REPORT_STATUSES)[number]
export const REFUSED_REASONS = ['roster', 'too-old', 'too-new', 'too-many-rows'] as const
export type RefusedReason = (typeof REFUSED_REASONS)[number]

/** A deposited hash at risk. lag 0: both were there in the same block; 1: the reporter was there one block earlier. */
export interface Mark {
  epoch: number
  hash: Uint8Array
  degree: number
  weight: number
  lag: 0 | 1
}
/** A group that was not stored. `roster` names the roster in force for its epoch. */
export interface RefusedGroup {
  epoch: number
  reason: RefusedReason
  roster: Uint8Array
}
export interface SyncReply {
  report: ReportStatus
  time: number
  generation: number
  cursor: number
  left: number
  refused: RefusedGroup[]
  marks: Mark[]
}

/** The request, zero-padded to the smallest class that holds it. Throws RangeError when no class does. */
export function encodeSyncRequest(request: SyncRequest, classes: readonly number[]): Uint8Array {
  const { userSecret, syncId, report, generation, cursor, groups } = request
  const size = classes.find((item) => item >= syncRequestBytes(groups))
  if (size === undefined) throw new RangeError('"groups" expected to fit the largest size class')
  if (groups.length > SYNC_GROUPS_MAX)
    throw new RangeError(`"groups" expected at most ${SYNC_GROUPS_MAX}, got ${groups.length}`)
  const body = new Uint8Array(KIND_BODY_BYTES)
  if (report.kind === 'code') body.set(report.code.subarray(0, REPORT_CODE_BYTES))
  const writer = byteWriter(size).u8(PROTOCOL_VERSION).bytes(userSecret, USER_SECRET_BYTES).bytes(syncId, SYNC_ID_BYTES)
  writer.u8(['none', 'code', 'erase'].indexOf(report.kind)).bytes(body).u32(generation).u32(cursor).u8(groups.length)
  for (const { epoch, roster, rows } of groups) {
    writer.u32(epoch).bytes(roster, ROSTER_NAME_BYTES).u16(rows.length)
    for (const row of rows) writer.bytes(row.hash, RISK_HASH_BYTES).u8(rowToMeta(row))
  }
  return writer.bytes(new Uint8Array(size - writer.length)).finish()
}

/** Bytes of a request before padding. */
export function syncRequestBytes(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, { rows }) => sum + GROUP_HEAD_BYTES + rows.length * ROW_BYTES, SYNC_HEAD_BYTES)
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSyncRequest(bytes: Uint8Array, classes: readonly number[]): SyncRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  if (bytes.length > SYNC_REQUEST_MAX_BYTES || !classes.includes(bytes.length))
    reader.refuse(`expected one of ${classes.join(', ')} bytes, got ${bytes.length}`)
  const userSecret = reader.bytes(USER_SECRET_BYTES)
  const syncId = reader.bytes(SYNC_ID_BYTES)
  const kind = reader.u8()
  const body = reader.bytes(KIND_BODY_BYTES)
  if (kind > 2 || body.subarray(kind === 1 ? REPORT_CODE_BYTES : 0).some((byte) => byte !== 0))
    reader.refuse('expected kind 0 to 2 with a zero-padded body')
  const report: SyncKind =
    kind === 1 ? { kind: 'code', code: body.slice(0, REPORT_CODE_BYTES) } : { kind: kind === 2 ? 'erase' : 'none' }
  const generation = reader.u32()
  const cursor = reader.u32()
  const count = reader.u8()
  if (count > SYNC_GROUPS_MAX) reader.refuse(`expected at most ${SYNC_GROUPS_MAX} groups, got ${count}`)
  const groups: RowGroup[] = []
  for (let i = 0; i < count; i++) {
    const group = { epoch: reader.u32(), roster: reader.bytes(ROSTER_NAME_BYTES), rows: readRows(reader) }
    if (i > 0 && groups[i - 1]!.epoch >= group.epoch) reader.refuse('expected ascending epochs, each once')
    groups.push(group)
  }
  reader.padding()
  return { userSecret, syncId, report, generation, cursor, groups }
}

/** Order of rows on the wire. */
export function compareHashes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < RISK_HASH_BYTES; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

export function rowToMeta({ size, lags }: Pick<Row, 'size' | 'lags'>): number {
  const index = (BLOCK_SIZES_MIN as readonly number[]).indexOf(size)
  if (index < 0 || lags < 1 || lags > 3)
    throw new RangeError(`row expected a block size and lags 1..3, got ${size}, ${lags}`)
  return index | (lags << 3)
}

/** The row of a hash; undefined when `meta` has no valid size or lags. */
export function metaToRow(hash: Uint8Array, meta: number): Row | undefined {
  const size = BLOCK_SIZES_MIN[meta & 7]
  const lags = meta >> 3
  return size === undefined || lags < 1 || lags > 3 ? undefined : { hash, size, lags }
}

/** Merges two rows of one hash: lags by OR. A hash has one size, so two sizes are a lie, and the smaller one stands. */
export function mergeRow(known: Row | undefined, row: Row): Row {
  if (known === undefined) return row
  return { hash: row.hash, size: Math.min(known.size, row.size), lags: known.lags | row.lags }
}

function readRows(reader: ReturnType<typeof byteReader>): Row[] {
  const count = reader.u16()
  if (count < 1 || count > ROWS_PER_EPOCH_MAX) reader.refuse(`expected 1 to ${ROWS_PER_EPOCH_MAX} rows, got ${count}`)
  const rows: Row[] = []
  for (let i = 0; i < count; i++) {
    const hash = reader.bytes(RISK_HASH_BYTES)
    const row = metaToRow(hash, reader.u8())
    if (row === undefined) return reader.refuse('expected a block size 0 to 4 and lags 1 to 3')
    const previous = rows[i - 1]
    if (previous !== undefined && (equalBytes(previous.hash, hash) || compareHashes(previous.hash, hash) > 0)) {
      reader.refuse('expected ascending hashes, each once')
    }
    rows.push(row)
  }
  return rows
}
