/**
 * Encodings of the level store's values. PROTOCOL.md §8. Marks and syncs have fixed big-endian fields.
 * The few reports, codes and pins are JSON, because their fields may change. Every value is sealed.
 */
import {
  byteReader,
  bytesToHex,
  byteWriter,
  HASH_BYTES,
  hexToBytes,
  MARK_BYTES,
  type Mark,
  type Pin,
  RISK_HASH_BYTES,
  SYNC_ID_BYTES,
} from '@geotrace/core-wasm/wire'
import type {
  CodeRecord,
  Deposit,
  EnrolmentRecord,
  Lease,
  MarkList,
  ReportProgress,
  ReportRecord,
  SyncRecord,
} from './central-store.ts'

export function encodeMarks(marks: readonly Mark[]): Uint8Array {
  const writer = byteWriter(marks.length * MARK_BYTES)
  for (const mark of marks) writeMark(writer, mark)
  return writer.finish()
}

/** Writes one mark as encodeMarks does. By hand, because a computation makes millions. */
export function putMark(to: Uint8Array, at: number, { epoch, hash, degree, weight, lag }: Mark): void {
  for (let i = 0; i < 4; i++) to[at + i] = epoch >>> (24 - 8 * i)
  to.set(hash, at + 4)
  to[at + 16] = degree
  to[at + 17] = weight >>> 8
  to[at + 18] = weight
  to[at + 19] = lag
}

export function decodeMarks(body: Uint8Array): Mark[] {
  const reader = byteReader(body)
  return Array.from({ length: body.length / MARK_BYTES }, () => readMark(reader))
}

/** generation u32 ‖ last u32 ‖ n × (sequence u32 ‖ mark). */
export function encodeMarkList({ generation, last, entries }: MarkList): Uint8Array {
  const writer = byteWriter(8 + entries.length * (4 + MARK_BYTES))
    .u32(generation)
    .u32(last)
  for (const entry of entries) writeMark(writer.u32(entry.sequence), entry)
  return writer.finish()
}

export function decodeMarkList(body: Uint8Array): MarkList {
  const reader = byteReader(body)
  const generation = reader.u32()
  const last = reader.u32()
  const entries = Array.from({ length: reader.left / (4 + MARK_BYTES) }, () => ({
    sequence: reader.u32(),
    ...readMark(reader),
  }))
  return { generation, last, entries }
}

/** day u32 ‖ digest 32 ‖ basis; the sync id is in the key. */
export function encodeSync({ digest, basis, day }: Omit<SyncRecord, 'syncId'> & { day: number }): Uint8Array {
  return byteWriter(4 + HASH_BYTES + basis.length)
    .u32(day)
    .bytes(digest, HASH_BYTES)
    .bytes(basis)
    .finish()
}

export function decodeSync(syncId: Uint8Array, body: Uint8Array): SyncRecord & { day: number } {
  const reader = byteReader(body)
  const day = reader.u32()
  const digest = reader.bytes(HASH_BYTES)
  return { syncId: syncId.slice(0, SYNC_ID_BYTES), digest, basis: reader.bytes(reader.left), day }
}

/** The record of a user, besides marks. */
export interface UserRecord {
  /** UTC day of the first deposit. */
  readonly since: number
  /** UTC day of the last deposit. */
  readonly seen: number
  /** The key under which the user is found. */
  readonly key: Uint8Array
}

/** since u32 ‖ seen u32 ‖ key. */
export function encodeUser({ since, seen, key }: UserRecord): Uint8Array {
  return byteWriter(8 + key.length)
    .u32(since)
    .u32(seen)
    .bytes(key)
    .finish()
}

export function decodeUser(body: Uint8Array): UserRecord {
  const reader = byteReader(body)
  return { since: reader.u32(), seen: reader.u32(), key: reader.bytes(reader.left) }
}

/** Two u32: a UTC day and a count. */
export function encodePair(a: number, b: number): Uint8Array {
  return byteWriter(8).u32(a).u32(b).finish()
}

export function decodePair(body: Uint8Array): [number, number] {
  const reader = byteReader(body)
  return [reader.u32(), reader.u32()]
}

type JsonRecord = CodeRecord | Deposit | EnrolmentRecord | ReportRecord | ReportProgress | Pin | Lease

/** JSON text in which bytes become { hex }. */
export function encodeJson(record: JsonRecord): Uint8Array {
  const text = JSON.stringify(record, (_, value: unknown) =>
    value instanceof Uint8Array ? { hex: bytesToHex(value) } : value,
  )
  return new TextEncoder().encode(text)
}

export function decodeJson<T extends JsonRecord>(body: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(body), (_, value: unknown) => {
    const hex = typeof value === 'object' && value !== null && 'hex' in value ? value.hex : undefined
    return typeof hex === 'string' ? hexToBytes(hex) : value
  }) as T
}

function writeMark(writer: ReturnType<typeof byteWriter>, mark: Mark): void {
  writer.u32(mark.epoch).bytes(mark.hash, RISK_HASH_BYTES).u8(mark.degree).u16(mark.weight).u8(mark.lag)
}

function readMark(reader: ReturnType<typeof byteReader>): Mark {
  return {
    epoch: reader.u32(),
    hash: reader.bytes(RISK_HASH_BYTES),
    degree: reader.u8(),
    weight: reader.u16(),
    lag: reader.u8() as 0 | 1,
  }
}
