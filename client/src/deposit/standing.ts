/** Where the report of this device stands after a reply of the central peer. PROTOCOL.md §7.2. */
import { DAY_MS, EPOCH_MS, type SyncKind, type SyncReply } from '@geotrace/core-wasm/wire'
import { type OwnReport, readOwnReport } from '../device/own-report.ts'
import { encodeRecord, KEYS } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** The operations that store where the report stands after a reply. */
export async function standingToOperations(
  storage: Storage,
  kind: SyncKind,
  reply: Pick<SyncReply, 'report' | 'time'>,
): Promise<StorageOperation[]> {
  const before = await readOwnReport(storage)
  const after = nextStanding(before, kind, reply)
  if (after === before) return []
  return after === undefined ? [del(KEYS.report)] : [put(KEYS.report, encodeRecord(after))]
}

/** Pure. A refused code changes nothing. */
export function nextStanding(
  before: OwnReport | undefined,
  kind: SyncKind,
  { report, time }: Pick<SyncReply, 'report' | 'time'>,
): OwnReport | undefined {
  switch (report) {
    case 'accepted':
    case 'updated':
    case 'held':
    case 'published': {
      if (kind.kind !== 'code') return before === undefined ? undefined : { ...before, stage: report }
      const at = report === 'updated' ? (before?.at ?? time) : time
      return { stage: report, at, ...toDates(kind) }
    }
    case 'withdrawn':
      return before === undefined || kind.kind !== 'withdraw'
        ? before
        : { ...before, stage: 'withdrawn', reason: kind.reason }
    case 'none':
      // The reply answers a sync without a code, so the central peer knows no report of this device that counts.
      return before === undefined || before.stage === 'withdrawn' || before.stage === 'ended'
        ? before
        : { ...before, stage: 'ended' }
    default:
      return before
  }
}

function toDates({ from, testDay }: Extract<SyncKind, { kind: 'code' }>): Pick<OwnReport, 'from' | 'testedAt'> {
  return { ...(from > 0 && { from: from * EPOCH_MS }), ...(testDay > 0 && { testedAt: testDay * DAY_MS }) }
}
