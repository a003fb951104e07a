/** What would leave the device, told before it does. Changes nothing. README "What leaves the device". */
import { syncRequestBytes } from '@geotrace/core-wasm/wire'
import { type Device, toVerdict } from './device.ts'
import { fixBlockEnd, readWaiting, timeToFixBlock } from './diary.ts'
import { readFrozen, selectBatch } from './outbox.ts'
import { KEYS } from './records.ts'
import { readTotals, type Totals } from './totals.ts'

export interface Preview {
  /** Fixes that will be salted and hashed by the next sync, and those whose block is still open. */
  fixesWaiting: number
  fixesOpen: number
  /** Hashed fixes held back until home is known or the night is over. */
  fixesHeld: number
  /** Rows of the next batch, epoch by epoch: all that the central peer would see of them. */
  epochs: { epoch: number; rows: number }[]
  /** Bytes of that batch, padded to its size class. */
  batchBytes: number
  /** Bytes of a batch on its way that was not acknowledged yet; 0 when there is none. */
  frozenBytes: number
  /** A report code goes with the next batch. */
  report: boolean
  totals: Totals
}

export async function previewSync(device: Device): Promise<Preview> {
  const { storage, clock, manifest } = device
  const nowMs = clock.now()
  const classes = manifest.parameters.syncRequestBytes
  const init = { classes, nowMs, resting: new Set<number>(), toVerdict: toVerdict(device, nowMs) }
  const { groups, held } = await selectBatch(storage, init)
  const waiting = await readWaiting(storage)
  const closed = waiting.filter((fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs)
  const bytes = syncRequestBytes(groups)
  return {
    fixesWaiting: closed.length,
    fixesOpen: waiting.length - closed.length,
    fixesHeld: held,
    epochs: groups.map(({ epoch, rows }) => ({ epoch, rows: rows.length })),
    batchBytes: classes.find((size) => size >= bytes)!,
    frozenBytes: (await readFrozen(storage))?.length ?? 0,
    report: (await storage.get(KEYS.code)) !== undefined,
    totals: await readTotals(storage),
  }
}
