/**
 * Reads the request of a sync: layout in sync.ts, PROTOCOL.md §7.2. A file of its own, because an app that only
 * records need not load it. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN.
 */
import {
  REPORT_CODE_BYTES,
  ROSTER_NAME_BYTES,
  ROWS_PER_EPOCH_MAX,
  SPREAD_SLIP_BYTES,
  SYNC_GROUPS_MAX,
  SYNC_ID_BYTES,
  SYNC_REQUEST_MAX_BYTES,
  SYNC_VERSION,
  USER_SECRET_BYTES,
} from '../constants.ts'
import { type ByteReader, byteReader, byteWriter, concatBytes } from '../encoding/bytes.ts'
import { assertVersion } from '../encoding/version.ts'
import { bytesToRows, isRows, ROW_BYTES } from './rows.ts'
import {
  KIND_BODY_BYTES,
  SYNC_HEAD_BYTES,
  SYNC_KIND_AT,
  SYNC_KINDS,
  SYNC_MINUTE_AT,
  SYNC_READ_AT,
  type SyncKind,
  type SyncRequest,
  type SyncSlip,
  WITHDRAW_REASONS,
} from './sync.ts'

/** A request whose rows are the bytes of the frame: n × (hash 12 ‖ meta u8), ascending, each hash once. */
export interface SyncFrame extends Omit<SyncRequest, 'groups'> {
  groups: { epoch: number; roster: Uint8Array; rows: Uint8Array }[]
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSyncRequest(bytes: Uint8Array, classes: readonly number[]): SyncRequest {
  const { groups, ...request } = decodeSyncFrame(bytes, classes)
  return { ...request, groups: groups.map((group) => ({ ...group, rows: bytesToRows(group.rows) })) }
}

/** Makes no object for a row. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSyncFrame(bytes: Uint8Array, classes: readonly number[]): SyncFrame {
  const reader = byteReader(bytes)
  assertVersion(reader.u8(), SYNC_VERSION)
  if (bytes.length > SYNC_REQUEST_MAX_BYTES || !classes.includes(bytes.length))
    reader.refuse(`expected one of ${classes.join(', ')} bytes, got ${bytes.length}`)
  const minute = reader.u32()
  const userSecret = reader.bytes(USER_SECRET_BYTES)
  const syncId = reader.bytes(SYNC_ID_BYTES)
  const report = withSlip(reader, readKind(reader))
  const generation = reader.u32()
  const cursor = reader.u32()
  const count = reader.u8()
  if (count > SYNC_GROUPS_MAX) reader.refuse(`expected at most ${SYNC_GROUPS_MAX} groups, got ${count}`)
  const groups: SyncFrame['groups'] = []
  for (let i = 0; i < count; i++) {
    const group = { epoch: reader.u32(), roster: reader.bytes(ROSTER_NAME_BYTES), rows: readRows(reader) }
    if (i > 0 && groups[i - 1]!.epoch >= group.epoch) reader.refuse('expected ascending epochs, each once')
    groups.push(group)
  }
  reader.padding()
  return { minute, userSecret, syncId, report, generation, cursor, groups }
}

/** The same request, sent at this proved Unix minute; 0 while the device has no proof of the time. */
export function stampMinute(frame: Uint8Array, minute: number): Uint8Array {
  const stamped = frame.slice()
  stamped.set(byteWriter(4).u32(minute).finish(), SYNC_MINUTE_AT)
  return stamped
}

/** The bytes that a repetition of a sync repeats: kind, body, slip and groups. The minute and the reading position may change. */
export function syncContent(frame: Uint8Array): Uint8Array {
  return concatBytes(frame.subarray(SYNC_KIND_AT, SYNC_READ_AT), frame.subarray(SYNC_HEAD_BYTES - 1))
}

/** A slip comes only with a code. All other frames have zeros in its place. */
function withSlip(reader: ByteReader, report: SyncKind): SyncKind {
  const slip: SyncSlip = { period: reader.u32(), bytes: reader.bytes(SPREAD_SLIP_BYTES) }
  const isEmpty = slip.bytes.every((byte) => byte === 0)
  if (isEmpty !== (slip.period === 0)) reader.refuse('expected a spread period and a slip, or zeros for both')
  if (isEmpty) return report
  return report.kind === 'code' ? { ...report, slip } : reader.refuse('expected an empty slip without a code')
}

function readKind(reader: ByteReader): SyncKind {
  const kind = SYNC_KINDS[reader.u8()] ?? reader.refuse(`expected a kind 0 to ${SYNC_KINDS.length - 1}`)
  const start = reader.offset
  const report = readBody(reader, kind)
  if (reader.bytes(KIND_BODY_BYTES - (reader.offset - start)).some((byte) => byte !== 0))
    reader.refuse('expected a zero-padded body')
  return report
}

function readBody(reader: ByteReader, kind: SyncKind['kind']): SyncKind {
  switch (kind) {
    case 'none':
      return { kind }
    case 'code':
      return { kind, code: reader.bytes(REPORT_CODE_BYTES), from: reader.u32(), testDay: reader.u16() }
    case 'erase': {
      const flag = reader.u8()
      return flag > 1 ? reader.refuse('expected a flag 0 or 1') : { kind, keepWarning: flag === 1 }
    }
    case 'withdraw':
      return { kind, reason: WITHDRAW_REASONS[reader.u8()] ?? reader.refuse('expected a reason 0 to 2') }
  }
}

function readRows(reader: ByteReader): Uint8Array {
  const count = reader.u16()
  if (count < 1 || count > ROWS_PER_EPOCH_MAX) reader.refuse(`expected 1 to ${ROWS_PER_EPOCH_MAX} rows, got ${count}`)
  const rows = reader.bytes(count * ROW_BYTES)
  if (!isRows(rows)) reader.refuse('expected block sizes 0 to 4, lags 0 to 3, and ascending hashes, each once')
  return rows
}
