/**
 * The part of a sync's reply other than marks. The store keeps it with the acknowledgement, so that the peer answers a
 * repeated sync in the same way. PROTOCOL.md §7.2. Throws MESSAGE_MALFORMED for bytes of another form.
 *  u8 report; { u32 epoch; u8 reason; u8 roster[8] } []
 */
import {
  byteReader,
  byteWriter,
  REFUSED_REASONS,
  REPORT_STATUSES,
  type RefusedGroup,
  type ReportStatus,
  ROSTER_NAME_BYTES,
} from '@geotrace/core-wasm/wire'

export interface ReplyBasis {
  readonly report: ReportStatus
  readonly refused: readonly RefusedGroup[]
}

const REFUSED_BYTES = 4 + 1 + ROSTER_NAME_BYTES

export function encodeBasis({ report, refused }: ReplyBasis): Uint8Array {
  const writer = byteWriter(1 + refused.length * REFUSED_BYTES).u8(REPORT_STATUSES.indexOf(report))
  for (const { epoch, reason, roster } of refused) {
    writer.u32(epoch).u8(REFUSED_REASONS.indexOf(reason)).bytes(roster, ROSTER_NAME_BYTES)
  }
  return writer.finish()
}

export function decodeBasis(bytes: Uint8Array): ReplyBasis {
  const reader = byteReader(bytes)
  const report = REPORT_STATUSES[reader.u8()] ?? reader.refuse('unknown report status')
  const refused = Array.from({ length: reader.left / REFUSED_BYTES }, () => ({
    epoch: reader.u32(),
    reason: REFUSED_REASONS[reader.u8()] ?? reader.refuse('unknown reason'),
    roster: reader.bytes(ROSTER_NAME_BYTES),
  }))
  reader.end()
  return { report, refused }
}
