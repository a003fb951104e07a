/**
 * Takes the fixes of an import into the diary. Those that are too old to be matched go into the history (history.ts). README
 * "Importing tracks". A fix of the history is judged again whenever it is read, because home may become known later.
 */
import type { Fix } from '@geotrace/core-wasm'
import type { Device } from './device/device.ts'
import { keepInHistory } from './diary/history.ts'
import { HISTORY_MS } from './diary/retention.ts'
import type { RecordResult, RefusalReason } from './record.ts'
import type { StorageOperation } from './storage/storage.ts'

/** The outcome of an import. Its numbers add up to the number of fixes. */
export interface ImportedHistory {
  /** In the diary: others can be matched with them. */
  taken: number
  /** Older than three hours, so never matched; kept for 14 days. */
  history: number
  refused: ReadonlyMap<RefusalReason, number>
}

/** How the tracer records, given by it, because an import brings no code that recording has already loaded. */
interface Recording {
  record: (fix: Fix) => Promise<RecordResult>
  accuracyMaxM: number
}

/** Each fix takes a turn of the lock, so that an erasure or a new fix need not wait for a long file. */
export async function importHistory(
  device: Device,
  fixes: readonly Fix[],
  recording: Recording,
): Promise<ImportedHistory> {
  let [taken, history] = [0, 0]
  const refused = new Map<RefusalReason, number>()
  for (const fix of fixes) {
    const outcome = await device.lock(() => takeOne(device, fix, recording))
    if (outcome === 'taken') taken++
    else if (outcome === 'history') history++
    else refused.set(outcome, (refused.get(outcome) ?? 0) + 1)
  }
  return { taken, history, refused }
}

async function takeOne(
  device: Device,
  fix: Fix,
  { record, accuracyMaxM }: Recording,
): Promise<'taken' | 'history' | RefusalReason> {
  const result = await record(fix)
  if (result.accepted) return 'taken'
  if (result.reason !== 'too-old') return result.reason
  const kept = await toOperations(device, fix, accuracyMaxM)
  if (typeof kept === 'string') return kept
  await device.storage.batch(kept)
  return 'history'
}

async function toOperations(
  device: Device,
  fix: Fix,
  accuracyMaxM: number,
): Promise<StorageOperation[] | RefusalReason> {
  const { storage, clock, redactor, retentionMs } = device
  const nowMs = clock.now()
  if (fix.at < nowMs - Math.min(HISTORY_MS, retentionMs)) return 'too-old'
  if (fix.accuracyM !== undefined && fix.accuracyM > accuracyMaxM) return 'inaccurate'
  return redactor.toReason(fix, nowMs) ?? keepInHistory(storage, fix)
}
