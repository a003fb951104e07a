/**
 * Brings hashed fixes to the central peer: freeze a batch, send it, store the reply, until nothing is left. PROTOCOL.md
 * §7.2. The first request goes out even when it is empty. Throws what `send` throws, and ABORTED.
 */
import { isFederationError } from '@geotrace/core-wasm'
import { decodeSyncRequest } from '@geotrace/core-wasm/wire'
import { assertNotAborted, type Device } from '../device/device.ts'
import type { SyncResult } from '../sync-result.ts'
import { acknowledge, unfreeze } from './acknowledge.ts'
import type { Batch } from './batch.ts'
import { nextBatch } from './next-batch.ts'
import { type CentralRoute, send } from './send.ts'

/** 36 epochs of 48 h, 6.3 KB each, in the smallest of the usual size classes; the rest goes with the next sync. */
const BATCHES_PER_SYNC_MAX = 64

export async function deposit(
  device: Device,
  route: CentralRoute,
  result: SyncResult,
  signal: AbortSignal | undefined,
): Promise<void> {
  const resting = new Set<number>()
  for (let i = 0; i < BATCHES_PER_SYNC_MAX; i++) {
    assertNotAborted(signal)
    const batch = await device.lock(() => freezeNext(device, resting, result))
    if (batch === undefined) return
    device.progress({ phase: 'deposit', done: i, of: i + 1 })
    await sendAndStore(device, route, batch, resting, result)
  }
}

async function freezeNext(device: Device, resting: Set<number>, result: SyncResult): Promise<Batch | undefined> {
  const next = await nextBatch(device, { resting, evenIfEmpty: result.batches === 0 })
  if (next.isFrozen) return next.batch
  result.fixesHeld = next.held
  result.fixesRedacted += next.redacted
  result.rowsLost += next.expired
  result.hashesNew += next.hashesNew
  return next.batch
}

async function sendAndStore(
  device: Device,
  route: CentralRoute,
  batch: Batch,
  resting: Set<number>,
  result: SyncResult,
): Promise<void> {
  const { storage, clock, lock, manifest } = device
  const request = decodeSyncRequest(batch.frame, manifest.parameters.syncRequestBytes)
  try {
    const reply = await send(route, batch)
    const done = await lock(() => acknowledge(storage, request, reply, clock.now()))
    for (const epoch of done.resting) resting.add(epoch)
    result.batches++
    result.rowsDeposited += done.rowsDeposited
    result.rowsRefused += done.rowsRefused
    result.rowsLost += done.rowsLost
    result.fixesAgain += done.fixesAgain
    result.marksNew += done.marksNew
    result.marksLeft = reply.left
    if (reply.report !== 'none') result.report = reply.report
  } catch (error) {
    if (!isFederationError(error, 'SYNC_CONFLICT')) throw error
    // The central peer answered another batch of this sync id; the same rows go under a new one.
    await lock(() => unfreeze(storage, request))
  }
}
