/** What would leave the device, told before it does. Changes nothing. README "What leaves the device". */
import { encodeSyncRequest, SYNC_ID_BYTES, syncRequestBytes } from '@geotrace/core-wasm/wire'
import { type Device, toDecision } from '../device/device.ts'
import { readTotals, type Totals } from '../device/totals.ts'
import { fixBlockEnd, readWaiting, timeToFixBlock } from '../diary/diary.ts'
import { readCursor } from '../exposures/marks.ts'
import { KEYS } from '../storage/key-layout.ts'
import { readFrozen, selectBatch } from './outbox.ts'

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
  /** That batch byte for byte, but for the sync id, which is drawn when it is sent; or the one on its way. */
  frame: Uint8Array
  /** A report code goes with the next batch. */
  report: boolean
  totals: Totals
}

export async function previewSync(device: Device): Promise<Preview> {
  const { storage, clock, manifest } = device
  const nowMs = clock.now()
  const classes = manifest.parameters.syncRequestBytes
  const init = { classes, nowMs, resting: new Set<number>(), toDecision: toDecision(device, nowMs) }
  const { groups, held } = await selectBatch(storage, init)
  const cursor = await readCursor(storage)
  const waiting = await readWaiting(storage)
  const closed = waiting.filter((fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs)
  const bytes = syncRequestBytes(groups)
  const frozen = await readFrozen(storage)
  const code = await storage.get(KEYS.code)
  const next = (): Uint8Array =>
    encodeSyncRequest(
      {
        userSecret: device.secrets.user,
        syncId: new Uint8Array(SYNC_ID_BYTES),
        report: code === undefined ? { kind: 'none' } : { kind: 'code', code },
        ...cursor,
        groups,
      },
      classes,
    )
  return {
    fixesWaiting: closed.length,
    fixesOpen: waiting.length - closed.length,
    fixesHeld: held,
    epochs: groups.map(({ epoch, rows }) => ({ epoch, rows: rows.length })),
    batchBytes: classes.find((size) => size >= bytes)!,
    frozenBytes: frozen?.length ?? 0,
    frame: frozen ?? next(),
    report: code !== undefined,
    totals: await readTotals(storage),
  }
}
