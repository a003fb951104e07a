/**
 * Keeps the retention on the disk: deletes what the rule (retention.ts) lets go, when it is due (forget-when-due.ts) and
 * after every sync. Throws STORAGE_CORRUPT.
 */
import { timeToEpoch } from '@geotrace/core-wasm/wire'
import { timeToFixBlock } from '../diary/fix-block.ts'
import { forget } from '../diary/fix-states.ts'
import { addOpening, HISTORY_MS, type RetentionLimits, toRetentionLimits } from '../diary/retention.ts'
import { decodeRecord, encodeRecord, FAMILIES, KEYS, keyToNumber } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import type { Device } from './device.ts'
import { readOwnReport } from './own-report.ts'

type Forgetting = Pick<Device, 'storage' | 'clock' | 'retentionMs' | 'redactor' | 'forgot'>

/** Call with the device's lock held. */
export async function forgetOld(device: Forgetting): Promise<void> {
  const { storage, clock, retentionMs, redactor, forgot } = device
  const nowMs = clock.now()
  const before = await readOpenings(storage)
  const openings = addOpening(before, nowMs)
  const limits = toRetentionLimits({ nowMs, retentionMs, openings, provedMs: clock.proof?.atLeastMs })
  const operations = await limitsToOperations(storage, limits, retentionMs)
  if (openings.length !== before.length || openings.at(-1) !== before.at(-1)) {
    operations.push(put(KEYS.openings, encodeRecord(openings)))
  }
  if (operations.length > 0) await storage.batch(operations)
  await redactor.forgetBefore(limits.deleteFixesBeforeMs + retentionMs)
  forgot.atMs = nowMs
}

async function limitsToOperations(
  storage: Storage,
  limits: RetentionLimits,
  retentionMs: number,
): Promise<StorageOperation[]> {
  const { deleteFixesBeforeMs, deleteAllBeforeMs } = limits
  const operations = deleteFixesBeforeMs > 0 ? await forget(storage, timeToFixBlock(deleteFixesBeforeMs)) : []
  const oldest: [family: string, number: number][] = [
    [FAMILIES.absence, timeToEpoch(deleteFixesBeforeMs)],
    [FAMILIES.history, timeToFixBlock(deleteFixesBeforeMs + Math.max(0, retentionMs - HISTORY_MS))],
  ]
  if (deleteAllBeforeMs > 0)
    oldest.push(
      [FAMILIES.verdict, timeToFixBlock(deleteAllBeforeMs)],
      [FAMILIES.deposited, timeToEpoch(deleteAllBeforeMs)],
      [FAMILIES.takeBack, timeToEpoch(deleteAllBeforeMs)],
      [FAMILIES.mark, timeToEpoch(deleteAllBeforeMs)],
    )
  for (const [family, number] of oldest) {
    for await (const [key] of storage.range(family)) {
      if (keyToNumber(key) >= number) break
      operations.push(del(key))
    }
  }
  if (!(deleteAllBeforeMs > 0)) return operations
  const report = await readOwnReport(storage)
  if (report !== undefined && report.at < deleteAllBeforeMs) operations.push(del(KEYS.report))
  return operations
}

async function readOpenings(storage: Storage): Promise<number[]> {
  const bytes = await storage.get(KEYS.openings)
  return bytes === undefined ? [] : decodeRecord<number[]>(KEYS.openings, bytes)
}
