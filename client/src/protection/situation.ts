/** Reads from the device the facts that its status depends on (protection.ts). Changes nothing. Throws STORAGE_CORRUPT. */
import { EPOCH_MS, isLoopback, LAG_CURRENT } from '@geotrace/core-wasm/wire'
import { isErasing } from '../deposit/batch.ts'
import { readDeposited } from '../deposit/deposited.ts'
import { readConsents } from '../device/consent.ts'
import type { Device } from '../device/device.ts'
import { toHideBefore } from '../device/forget-when-due.ts'
import { readLastSync } from '../device/last-sync.ts'
import { FIX_BLOCK_MIN } from '../diary/fix-block.ts'
import { readFix, readHashed, readWaiting } from '../diary/fix-states.ts'
import type { Exposure } from '../exposures/exposure.ts'
import { FAMILIES, KEYS, keyToNumber } from '../storage/key-layout.ts'
import { readEnrolment, toTokenParameters } from '../tokens/enrolment.ts'
import {
  type ComparedEpoch,
  type LocationPermission,
  type Protection,
  type Situation,
  situationToProtection,
} from './protection.ts'
import type { SeenFixes } from './seen-fixes.ts'

/** Layers A, B, C. */
const LAYERS = 3

/** Facts that the storage does not hold. */
interface Surroundings extends SeenFixes {
  location: LocationPermission
  consent: 'required' | undefined
  exposures: readonly Exposure[]
}

/** Call with the device's lock held. */
export async function readProtection(device: Device, around: Surroundings): Promise<Protection> {
  return situationToProtection(await readSituation(device, around))
}

async function readSituation(device: Device, around: Surroundings): Promise<Situation> {
  const { storage, clock, manifest, redactor } = device
  const nowMs = clock.now()
  const consents = around.consent === 'required' ? await readConsents(storage) : { record: true, deposit: true }
  const waiting = await readWaiting(storage)
  const last = await readLastSync(storage)
  const addresses = [manifest.central, ...manifest.members].flatMap((peer) => peer.addresses)
  return {
    nowMs,
    location: around.location,
    mayRecord: consents.record,
    mayDeposit: consents.deposit,
    isPaused: (await storage.get(KEYS.paused)) !== undefined,
    isErasing: await isErasing(storage),
    isHomeKnown: redactor.homeStatus(nowMs).known,
    positionMs: around.positionMs,
    inaccurateMs: around.inaccurateMs,
    fixesHeld: await countHeld(device, nowMs),
    fixesWaiting: waiting.length,
    oldestWaitingMs: waiting[0]?.at,
    lostMs: last?.lostMs,
    fixesLost: last?.fixesLost ?? 0,
    lastSyncMs: last?.atMs,
    isRelayShared: last?.relayShared ?? false,
    isClockOff: clock.offsetMs !== 0,
    salting: manifest.parameters.salting,
    isLocal: addresses.every(isLoopback),
    isEnrolmentMissing: toTokenParameters(device) !== undefined && !(await readEnrolment(storage))?.isEnrolled,
    compared: await comparedEpochs(device),
    exposures: around.exposures.filter(({ verdict }) => verdict === 'new' || verdict === 'confirmed').length,
  }
}

async function countHeld({ storage, redactor }: Device, nowMs: number): Promise<number> {
  let held = 0
  for (const { block, open } of await readHashed(storage)) {
    const known = open.length > 0 ? await readFix(storage, block) : undefined
    if (known !== undefined && redactor.toDecision(known.fix, nowMs) === 'hold') held++
  }
  return held
}

/** Epochs with acknowledged hashes, ascending. Call with the device's lock held. */
export async function comparedEpochs(device: Device): Promise<ComparedEpoch[]> {
  const compared: ComparedEpoch[] = []
  for await (const [key] of device.storage.range(FAMILIES.deposited)) {
    const epoch = keyToNumber(key)
    if ((epoch + 1) * EPOCH_MS <= toHideBefore(device)) continue
    const rows = [...(await readDeposited(device.storage, epoch)).values()]
    // A fix has one row of its own five minutes in each layer. Rows of longer blocks may come from a neighbouring epoch.
    const own = rows.filter(({ size, lags }) => size === FIX_BLOCK_MIN && (lags & LAG_CURRENT) !== 0).length
    if (own > 0) compared.push({ epoch, minutes: Math.ceil(own / LAYERS) * FIX_BLOCK_MIN })
  }
  return compared
}
