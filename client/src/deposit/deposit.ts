/**
 * Brings the outbox to the central peer: freeze, send, resend byte for byte until acknowledged, store the answer, and
 * again until nothing is left. PROTOCOL.md §7.2. The first request goes out even when it is empty.
 */
import { isFederationError } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeSyncReply,
  decodeSyncRequest,
  SYNC_ID_BYTES,
  SYNC_PROTOCOL,
  type SyncReply,
} from '@geotrace/core-wasm/wire'
import { assertNotAborted, type Device, toDecision } from '../device/device.ts'
import type { Wire } from '../dialers/wire-session.ts'
import type { SyncResult } from '../sync-result.ts'
import { acknowledge } from './acknowledge.ts'
import { freezeBatch, readFrozen, unfreezeBatch } from './outbox.ts'

/** 36 epochs of 48 h, 6.3 KB each, in the smallest of usual classes; the rest goes with the next sync. */
const BATCHES_PER_SYNC_MAX = 64

export async function deposit(
  device: Device,
  wire: Wire,
  rosters: readonly CertifiedRoster[],
  result: SyncResult,
  signal: AbortSignal | undefined,
): Promise<void> {
  const central = rosters.at(-1)!.roster.central
  const resting = new Set<number>()
  for (let batch = 0; batch < BATCHES_PER_SYNC_MAX; batch++) {
    assertNotAborted(signal)
    const frame = await device.lock(() => nextFrame(device, resting, result))
    if (frame === undefined) return
    const request = decodeSyncRequest(frame, device.manifest.parameters.syncRequestBytes)
    device.progress({ phase: 'deposit', done: batch, of: batch + 1 })
    const reply = await send(wire, central, frame)
    if (reply === 'conflict') {
      await device.lock(() => unfreezeBatch(device.storage, request))
      continue
    }
    const done = await device.lock(() => acknowledge(device.storage, request, reply, device.clock.now()))
    for (const epoch of done.resting) resting.add(epoch)
    result.batches++
    result.rowsDeposited += done.rowsDeposited
    result.rowsRefused += done.rowsRefused
    result.rowsLost += done.rowsLost
    result.fixesAgain += done.fixesAgain
    result.marksNew += done.marksNew
    result.marksLeft = reply.left
    if (reply.report !== 'none') result.report = reply.report
  }
}

/** The batch already on its way, or the next one; undefined when all is done. */
async function nextFrame(device: Device, resting: Set<number>, result: SyncResult): Promise<Uint8Array | undefined> {
  const { storage, clock, manifest, random, secrets } = device
  const frozen = await readFrozen(storage)
  if (frozen !== undefined) return frozen
  const nowMs = clock.now()
  const selection = await freezeBatch(storage, {
    userSecret: secrets.user,
    syncId: random(SYNC_ID_BYTES),
    classes: manifest.parameters.syncRequestBytes,
    nowMs,
    resting,
    toDecision: toDecision(device, nowMs),
    evenIfEmpty: result.batches === 0,
  })
  result.fixesHeld = selection.held
  result.fixesRedacted += selection.redacted
  result.rowsLost += selection.expired
  result.hashesNew += selection.hashesNew
  return selection.frame
}

async function send(
  wire: Wire,
  central: { key: Uint8Array; addresses: readonly string[] },
  frame: Uint8Array,
): Promise<SyncReply | 'conflict'> {
  try {
    return decodeSyncReply(await wire.request(central, SYNC_PROTOCOL, frame))
  } catch (error) {
    if (isFederationError(error, 'SYNC_CONFLICT')) return 'conflict'
    throw error
  }
}
