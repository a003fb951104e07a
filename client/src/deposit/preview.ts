/** Previews the bytes that would leave the device with the next sync. Changes nothing. README "What leaves the device". */
import { syncRequestBytes } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { readDue } from '../device/own-report.ts'
import { readTotals, type Totals } from '../device/totals.ts'
import { fixBlockEnd, timeToFixBlock } from '../diary/fix-block.ts'
import { readWaiting } from '../diary/fix-states.ts'
import { nextBatch } from './next-batch.ts'

export interface Preview {
  /** Fixes that the next sync will salt and hash, and fixes whose block is still open. */
  fixesWaiting: number
  fixesOpen: number
  /** Hashed fixes that wait until home is known or the night is over. */
  fixesHeld: number
  /** Rows of the next batch, epoch by epoch: all that the central peer would see of them. */
  epochs: { epoch: number; rows: number }[]
  /** Bytes of that batch, padded to its size class. */
  batchBytes: number
  /** Bytes of a batch on its way that was not acknowledged yet; 0 when there is none. */
  frozenBytes: number
  /** The batch on its way; else the next one byte for byte, but for the sync id and the slip. The minute stands in it when it is sent. */
  frame: Uint8Array
  /** A report code or a withdrawal goes with the next batch. */
  report: boolean
  totals: Totals
}

/** Call with the device's lock held. */
export async function previewSync(device: Device): Promise<Preview> {
  const { storage, clock, manifest } = device
  const nowMs = clock.now()
  const next = await nextBatch(device, { resting: new Set(), evenIfEmpty: true, dryRun: true })
  const { frame } = next.batch!
  const waiting = await readWaiting(storage)
  const closed = waiting.filter((fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs)
  const bytes = syncRequestBytes(next.groups)
  return {
    fixesWaiting: closed.length,
    fixesOpen: waiting.length - closed.length,
    fixesHeld: next.held,
    epochs: next.groups.map(({ epoch, rows }) => ({ epoch, rows: rows.length })),
    batchBytes: manifest.parameters.syncRequestBytes.find((size) => size >= bytes)!,
    frozenBytes: next.isFrozen ? frame.length : 0,
    frame,
    report: (await readDue(storage)) !== undefined,
    totals: await readTotals(storage),
  }
}
