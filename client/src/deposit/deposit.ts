/**
 * Brings hashed fixes to the central peer: freeze a batch, send it, store the reply, until nothing is left. PROTOCOL.md
 * §7.2. The first request goes out even when it is empty. Throws what `send` throws, and ABORTED.
 */
import { isFederationError } from '@geotrace/core-wasm'
import { decodeSyncRequest, type ReportStatus } from '@geotrace/core-wasm/wire'
import type { SyncTime } from '../clock/sync-time.ts'
import { assertNotAborted, type Device } from '../device/device.ts'
import type { PinNews } from '../salts/pin-news.ts'
import type { SyncResult } from '../sync-result.ts'
import { acknowledge, type Knowledge, unfreeze } from './acknowledge.ts'
import type { Batch } from './batch.ts'
import { addFates } from './follow-pins.ts'
import { nextBatch } from './next-batch.ts'
import { type CentralRoute, send } from './send.ts'

/** 36 epochs of 48 h, 6.3 KB each, in the smallest of the usual size classes; the rest goes with the next sync. */
const BATCHES_PER_SYNC_MAX = 64

/** Statuses that a reply to an ordinary batch gives. They do not replace the outcome of a code or a withdrawal. */
const STANDINGS: readonly ReportStatus[] = ['none', 'held', 'published']

/** The route and the knowledge of one sync. */
interface DepositWay {
  readonly route: CentralRoute
  readonly time: SyncTime
  readonly knowledge: Pick<Knowledge, 'pins' | 'rosterOf'>
  readonly news: PinNews
}

/** True when the clock turned out to be off: then the sync decides again by the corrected time. */
export async function deposit(
  device: Device,
  way: DepositWay,
  result: SyncResult,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const resting = new Set<number>()
  for (let i = 0; i < BATCHES_PER_SYNC_MAX; i++) {
    assertNotAborted(signal)
    const batch = await device.lock(() => freezeNext(device, way.time, resting, result))
    if (batch === undefined) return false
    device.progress({ phase: 'deposit', done: i, of: i + 1 })
    if (await sendAndStore(device, way, batch, resting, result)) return true
  }
  return false
}

type NextToSend = Batch & { readonly isFrozen: boolean }

async function freezeNext(
  device: Device,
  time: SyncTime,
  resting: Set<number>,
  result: SyncResult,
): Promise<NextToSend | undefined> {
  const isTimeInDoubt = time.isInDoubt()
  const next = await nextBatch(device, { resting, evenIfEmpty: result.batches === 0, isTimeInDoubt })
  if (next.isFrozen) return next.batch && { ...next.batch, isFrozen: next.isFrozen }
  result.fixesHeld = next.held
  result.fixesRedacted += next.redacted
  result.rowsLost += next.expired
  result.hashesNew += next.hashesNew
  return next.batch && { ...next.batch, isFrozen: false }
}

async function sendAndStore(
  device: Device,
  { route, time, knowledge, news }: DepositWay,
  batch: NextToSend,
  resting: Set<number>,
  result: SyncResult,
): Promise<boolean> {
  const { storage, clock, lock, manifest } = device
  const request = decodeSyncRequest(batch.frame, manifest.parameters.syncRequestBytes)
  try {
    const reply = await send(route, batch)
    // A batch that was frozen before may get the answer of that time again.
    if (!batch.isFrozen) time.addCentral(reply.time)
    const isMoved = time.prove()
    for (const pin of reply.pins) news.takeFromCentral(pin, clock.now())
    const nowMs = Math.min(clock.now(), reply.time)
    const done = await lock(() => acknowledge(storage, request, reply, { ...knowledge, nowMs, provedMs: nowMs }))
    for (const epoch of done.resting) resting.add(epoch)
    result.batches++
    result.rowsDeposited += done.rowsDeposited
    result.rowsTakenBack += done.rowsTakenBack
    result.rowsRefused += done.rowsRefused
    addFates(result, done)
    result.marksNew += done.marksNew
    result.marksLeft = reply.left
    if (request.report.kind !== 'none' || STANDINGS.includes(result.report)) result.report = reply.report
    return isMoved
  } catch (error) {
    if (!isFederationError(error, 'SYNC_CONFLICT')) throw error
    // The central peer answered another batch of this sync id; the same rows go under a new one.
    await lock(() => unfreeze(storage, request))
    return false
  }
}
