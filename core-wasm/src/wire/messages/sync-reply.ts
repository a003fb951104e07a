/**
 * The reply of a sync: layout in sync.ts, PROTOCOL.md §7.2. A file of its own, because an app that only records
 * need not load it. Throws the refusal's error, MESSAGE_MALFORMED.
 */
import { RISK_HASH_BYTES, ROSTER_NAME_BYTES } from '../constants.ts'
import { byteReader, byteWriter } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { PIN_BYTES, readPin, writePin } from './pin.ts'
import { MARK_BYTES, type Mark, REFUSED_REASONS, REPORT_STATUSES, type SyncReply } from './sync.ts'

const REPLY_HEAD_BYTES = 26
const REFUSED_BYTES = 4 + 1 + ROSTER_NAME_BYTES

/** Number of marks that fit a reply of `size` bytes with that many refused groups and pins. */
export function marksPerReply(size: number, refused: number, pins = 0): number {
  return Math.floor((size - REPLY_HEAD_BYTES - refused * REFUSED_BYTES - pins * PIN_BYTES) / MARK_BYTES)
}

export function encodeSyncReply(reply: SyncReply, size: number): Uint8Array {
  const writer = byteWriter(size).u8(STATUS_OK).u8(REPORT_STATUSES.indexOf(reply.report)).time(reply.time)
  writer.u32(reply.generation).u32(reply.cursor).u32(reply.left).u8(reply.refused.length)
  for (const { epoch, reason, roster } of reply.refused) {
    writer.u32(epoch).u8(REFUSED_REASONS.indexOf(reason)).bytes(roster, ROSTER_NAME_BYTES)
  }
  writer.u8(reply.pins.length)
  for (const pin of reply.pins) writePin(writer, pin)
  writer.u16(reply.marks.length)
  for (const { epoch, hash, degree, weight, lag } of reply.marks) {
    writer.u32(epoch).bytes(hash, RISK_HASH_BYTES).u8(degree).u16(weight).u8(lag)
  }
  return writer.bytes(new Uint8Array(size - writer.length)).finish()
}

/** Throws the refusal's error, MESSAGE_MALFORMED. */
export function decodeSyncReply(bytes: Uint8Array): SyncReply {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const report =
    REPORT_STATUSES[reader.u8()] ?? reader.refuse(`expected a report status 0 to ${REPORT_STATUSES.length - 1}`)
  const time = reader.time()
  const generation = reader.u32()
  const cursor = reader.u32()
  const left = reader.u32()
  const refused = Array.from({ length: reader.u8() }, () => ({
    epoch: reader.u32(),
    reason: REFUSED_REASONS[reader.u8()] ?? reader.refuse(`expected a reason 0 to ${REFUSED_REASONS.length - 1}`),
    roster: reader.bytes(ROSTER_NAME_BYTES),
  }))
  const pins = Array.from({ length: reader.u8() }, () => readPin(reader))
  const marks = Array.from({ length: reader.u16() }, () => {
    const mark = { epoch: reader.u32(), hash: reader.bytes(RISK_HASH_BYTES), degree: reader.u8(), weight: reader.u16() }
    const lag = reader.u8()
    if (mark.degree < 1 || (lag !== 0 && lag !== 1))
      return reader.refuse('expected a degree of at least 1 and a lag of 0 or 1')
    return { ...mark, lag } as Mark
  })
  reader.padding()
  return { report, time, generation, cursor, left, refused, pins, marks }
}
