/**
 * A sync: a deposit with or without a report, and the marks in reply. PROTOCOL.md §7.2.
 *
 *  struct SyncRequest {                         struct SyncReply {
 *    u8  version;  // 2                           u8  status;        // 0; otherwise u32 number and the end
 *    u32 minute;   // proved Unix minutes, or 0   u8  report;        // 0 none, 1 accepted, 2.. refused
 *    u8  userSecret[32];                          u64 time;          // the central peer's clock, Unix ms
 *    u8  syncId[16];                              u32 generation;
 *    u8  kind;     // SYNC_KINDS                  u32 cursor;        // pass it in the next sync
 *    u8  body[31]; // by kind, zero-padded        u32 left;          // marks after the cursor
 *    u32 spreadPeriod; u8 slip[104];              u8  refused;       // { u32 epoch; u8 reason; u8 roster[8] } [refused]
 *    u32 generation;                              u8  pins;          // pin.ts [pins]
 *    u32 cursor;                                  u16 count;         // { u32 epoch; u8 hash[12]; u8 degree;
 *    u8  count;                                                      //   u16 weight; u8 lag } [count]
 *    { u32 epoch; u8 roster[8]; u16 count;        u8  zero[];        // up to the one reply size
 *      { u8 hash[12]; u8 meta } [count] } [count]
 *    u8  zero[];   // up to a size class
 *  }                                            }
 * meta = size index (3 bits) | lag mask << 3 (2 bits). A deposit carries hashes and epochs only: no field can name a
 * place.
 */

import {
  REPORT_CODE_BYTES,
  RISK_HASH_BYTES,
  ROSTER_NAME_BYTES,
  SPREAD_SLIP_BYTES,
  SYNC_GROUPS_MAX,
  SYNC_ID_BYTES,
  SYNC_VERSION,
  USER_SECRET_BYTES,
} from '../constants.ts'
import { byteWriter } from '../encoding/bytes.ts'
import type { Pin } from './pin.ts'
import { ROW_BYTES, type Row, rowToMeta } from './rows.ts'

export const MARK_BYTES = 4 + RISK_HASH_BYTES + 4
export const KIND_BODY_BYTES = 31
/** Where the minute begins, the kind, and the reading position. */
export const SYNC_MINUTE_AT = 1
export const SYNC_KIND_AT = SYNC_MINUTE_AT + 4 + USER_SECRET_BYTES + SYNC_ID_BYTES
export const SYNC_READ_AT = SYNC_KIND_AT + 1 + KIND_BODY_BYTES + 4 + SPREAD_SLIP_BYTES
export const SYNC_HEAD_BYTES = SYNC_READ_AT + 8 + 1
export const GROUP_HEAD_BYTES = 4 + ROSTER_NAME_BYTES + 2

export interface RowGroup {
  epoch: number
  roster: Uint8Array
  /** Ascending by hash, distinct. */
  rows: Row[]
}

/** In the order of their numbers. */
export const SYNC_KINDS = ['none', 'code', 'erase', 'withdraw'] as const
/** Why a reporter withdraws: reported in error, tested negative, or recovered. In the order of their numbers. */
export const WITHDRAW_REASONS = ['withdrawn', 'negative', 'recovered'] as const
type WithdrawReason = (typeof WITHDRAW_REASONS)[number]
/** A sealed slip for a period of the spread. §9.2. To this module it is 104 bytes. */
export interface SyncSlip {
  period: number
  bytes: Uint8Array
}
export type SyncKind =
  | { kind: 'none' }
  /** `from`: first epoch of the reporter's rows that counts. `testDay`: UTC day of the test. Each 0 when it is not known. */
  | { kind: 'code'; code: Uint8Array; from: number; testDay: number; slip?: SyncSlip }
  | { kind: 'erase'; keepWarning: boolean }
  | { kind: 'withdraw'; reason: WithdrawReason }

export interface SyncRequest {
  /** Proved Unix minutes; 0 while the device has no proof of the time. */
  minute: number
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
  'held',
  'published',
  'updated',
  'withdrawn',
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
  /** Checked by their signatures only (pin.ts). */
  pins: Pin[]
  marks: Mark[]
}

/** The request, zero-padded to the smallest class that holds it. Throws RangeError when no class does. */
export function encodeSyncRequest(request: SyncRequest, classes: readonly number[]): Uint8Array {
  const { minute, userSecret, syncId, report, generation, cursor, groups } = request
  const size = classes.find((item) => item >= syncRequestBytes(groups))
  if (size === undefined) throw new RangeError('"groups" expected to fit the largest size class')
  if (groups.length > SYNC_GROUPS_MAX)
    throw new RangeError(`"groups" expected at most ${SYNC_GROUPS_MAX}, got ${groups.length}`)
  const writer = byteWriter(size).u8(SYNC_VERSION).u32(minute)
  writer.bytes(userSecret, USER_SECRET_BYTES).bytes(syncId, SYNC_ID_BYTES).u8(SYNC_KINDS.indexOf(report.kind))
  const slip = report.kind === 'code' ? report.slip : undefined
  writer.bytes(toBody(report)).u32(slip?.period ?? 0)
  writer.bytes(slip?.bytes ?? new Uint8Array(SPREAD_SLIP_BYTES), SPREAD_SLIP_BYTES)
  writer.u32(generation).u32(cursor).u8(groups.length)
  for (const { epoch, roster, rows } of groups) {
    writer.u32(epoch).bytes(roster, ROSTER_NAME_BYTES).u16(rows.length)
    for (const row of rows) writer.bytes(row.hash, RISK_HASH_BYTES).u8(rowToMeta(row))
  }
  return writer.bytes(new Uint8Array(size - writer.length)).finish()
}

function toBody(report: SyncKind): Uint8Array {
  const writer = byteWriter(KIND_BODY_BYTES)
  if (report.kind === 'code') writer.bytes(report.code, REPORT_CODE_BYTES).u32(report.from).u16(report.testDay)
  if (report.kind === 'erase') writer.u8(report.keepWarning ? 1 : 0)
  if (report.kind === 'withdraw') writer.u8(WITHDRAW_REASONS.indexOf(report.reason))
  return writer.bytes(new Uint8Array(KIND_BODY_BYTES - writer.length)).finish()
}

/** Bytes of a request before padding. */
export function syncRequestBytes(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, { rows }) => sum + GROUP_HEAD_BYTES + rows.length * ROW_BYTES, SYNC_HEAD_BYTES)
}
