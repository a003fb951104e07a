/** The state that the parts of a tracer share. An erasure or an import replaces the mutable fields. */
import { type Core, FederationError, type OneAtATime, type Random } from '@geotrace/core-wasm'
import {
  type EpochPins,
  equalBytes,
  type Manifest,
  type RosterChain,
  USER_SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import type { DeviceClock } from '../clock/device-clock.ts'
import type { Dialer } from '../dialers/dialer.ts'
import type { Redactor } from '../redaction/redaction.ts'
import type { SaltKeeper } from '../salts/salt-keeper.ts'
import type { ClientSalting } from '../salts/salting.ts'
import { KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'
import type { SyncProgress } from '../sync-result.ts'
import type { OpenedManifest } from './open-manifest.ts'

export interface Device {
  readonly manifest: Manifest
  /** True when the manifest was checked whole since the tracer was opened, not only on an earlier start. */
  readonly isManifestChecked: boolean
  readonly storage: Storage
  readonly dialer: Dialer
  clock: DeviceClock
  readonly random: Random
  readonly core: Core
  /** How long the federation keeps deposits, and the device its entries. */
  readonly retentionMs: number
  /** When the device last deleted what is too old, by its clock. */
  readonly forgot: { atMs: number }
  /** Milliseconds of a clock that only measures how long work took. */
  readonly now: () => number
  /** Held while the storage is read, decided upon and written. */
  readonly lock: OneAtATime
  readonly keeper: SaltKeeper
  /** Keys (hex) of salt nodes that lied to this tracer. */
  readonly liars: Set<string>
  readonly progress: (progress: SyncProgress) => void
  redactor: Redactor
  secrets: DeviceSecrets
  /** Made with the first sync, because signatures come with it. */
  rosters: RosterChain | undefined
  /** Made with the first sync under `threshold`, because the group comes with it. It keeps public keys for later syncs. */
  salting: ClientSalting | undefined
  /** Made together with `rosters`. */
  pins: EpochPins | undefined
}

interface DeviceSecrets {
  /** Names the device to the central peer. */
  user: Uint8Array
  /** Displaces home zones and orders the replicas to ask. No peer knows it. */
  device: Uint8Array
}

/** Reads or draws the secrets. Throws STORAGE_CORRUPT when the storage belongs to another federation. */
export async function openSecrets(
  storage: Storage,
  { federation, digest }: Pick<OpenedManifest, 'federation' | 'digest'>,
  random: Random,
): Promise<DeviceSecrets> {
  const known = await storage.get(KEYS.federation)
  if (known !== undefined && !equalBytes(known, federation)) {
    throw new FederationError('STORAGE_CORRUPT', 'this storage belongs to another federation', { what: 'federation' })
  }
  const checked = digest === undefined ? [] : [put(KEYS.manifest, digest)]
  const user = await storage.get(KEYS.userSecret)
  const device = await storage.get(KEYS.deviceSecret)
  if (known !== undefined && user !== undefined && device !== undefined) {
    const before = await storage.get(KEYS.manifest)
    if (digest !== undefined && (before === undefined || !equalBytes(before, digest))) await storage.batch(checked)
    return { user, device }
  }
  const fresh = { user: random(USER_SECRET_BYTES), device: random(USER_SECRET_BYTES) }
  await storage.batch([
    put(KEYS.federation, federation),
    put(KEYS.userSecret, fresh.user),
    put(KEYS.deviceSecret, fresh.device),
    ...checked,
  ])
  return fresh
}

/** Throws ABORTED. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new FederationError('ABORTED', 'the caller aborted; nothing is lost')
}
