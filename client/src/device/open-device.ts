/**
 * Opens a device: manifest, secrets, core and redaction on one storage. The defaults for clock, randomness and core stand
 * here only. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK, CORE_UNSUPPORTED, CORE_MISMATCH, STORAGE_CORRUPT.
 */
import { type Clock, type Core, loadCore, oneAtATime, type Random, systemClock } from '@geotrace/core-wasm'
import { DAY_MS, type Manifest } from '@geotrace/core-wasm/wire'
import { DeviceClock } from '../clock/device-clock.ts'
import type { Dialer } from '../dialers/dialer.ts'
import { noRedactor, type RedactionOptions, type Redactor, type TimeZoneOffset } from '../redaction/redaction.ts'
import { saltKeeper } from '../salts/salt-keeper.ts'
import { recentStorage } from '../storage/recent-storage.ts'
import type { Storage } from '../storage/storage.ts'
import type { SyncProgress } from '../sync-result.ts'
import { type Device, openSecrets } from './device.ts'
import { forgetWhenDue } from './forget-when-due.ts'
import { openManifest } from './open-manifest.ts'

export interface DeviceInit {
  /** The federation's manifest, parsed or as the text of its federation.json. */
  federation: Manifest | string
  storage: Storage
  dialer: Dialer
  clock?: Clock
  /** `n` unpredictable bytes. */
  random?: Random
  core?: Core
  /** `false` turns off home, zones and speed, nothing else. */
  redaction?: false | RedactionOptions
  timeZoneOffsetMin?: TimeZoneOffset
  /** Milliseconds, only to measure durations. */
  now?: () => number
}

export interface OpenedDevice {
  readonly device: Device
  /** Reads home and zones from the storage again. */
  reopenRedactor(): Promise<void>
  /** After the storage was replaced or erased: forgets salts, reads or draws the secrets, and opens redaction anew. */
  reopen(): Promise<void>
}

export async function openDevice(init: DeviceInit, progress: (progress: SyncProgress) => void): Promise<OpenedDevice> {
  const storage = recentStorage(init.storage)
  const opened = await openManifest(storage, init.federation)
  const { manifest, isChecked } = opened
  const random = init.random ?? ((n) => crypto.getRandomValues(new Uint8Array(n)))
  const secrets = await openSecrets(storage, opened, random)
  const clock = init.clock ?? systemClock()
  const device: Device = {
    manifest,
    isManifestChecked: isChecked,
    storage,
    dialer: init.dialer,
    clock: await DeviceClock.open(clock, storage),
    random,
    core: init.core ?? (await loadCore({ pins: manifest.core })),
    retentionMs: manifest.parameters.retentionDays * DAY_MS,
    forgot: { atMs: Number.NEGATIVE_INFINITY },
    now: init.now ?? (() => performance.now()),
    lock: oneAtATime(),
    keeper: saltKeeper(),
    liars: new Set(),
    progress,
    redactor: await openRedaction(init, storage, secrets.device),
    secrets,
    rosters: undefined,
    salting: undefined,
    pins: undefined,
  }
  await forgetWhenDue(device)
  const reopenRedactor = async (): Promise<void> => {
    device.redactor = await openRedaction(init, storage, device.secrets.device)
  }
  return {
    device,
    reopenRedactor,
    async reopen() {
      device.keeper.dropAll()
      device.secrets = await openSecrets(storage, opened, random)
      device.clock = await DeviceClock.open(clock, storage)
      await reopenRedactor()
    },
  }
}

/** Loaded only when redaction is on, because h3-js comes with it. */
async function openRedaction(
  { redaction, timeZoneOffsetMin }: DeviceInit,
  storage: Storage,
  deviceSecret: Uint8Array,
): Promise<Redactor> {
  if (redaction === false) return noRedactor()
  const toOffsetMin = timeZoneOffsetMin ?? ((atMs) => -new Date(atMs).getTimezoneOffset())
  const { openRedactor } = await import('../redaction/redactor.ts')
  return openRedactor({ storage, deviceSecret, toOffsetMin, options: redaction ?? {} })
}
