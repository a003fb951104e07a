/** What the parts of a tracer share. Fields that an erasure or an import replaces are mutable. */
import { type Clock, type Core, FederationError, type Fix, type OneAtATime, type Random } from '@geotrace/core-wasm'
import { equalBytes, type Manifest, USER_SECRET_BYTES } from '@geotrace/core-wasm/wire'
import type { Dialer } from '../dialers/dialer.ts'
import type { DepositDecision, Redactor } from '../redaction/redaction.ts'
import type { SaltKeeper } from '../salts/salt-keeper.ts'
import { KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'
import type { SyncProgress } from '../sync-result.ts'
import type { OpenedManifest } from './open-manifest.ts'

export interface Device {
  readonly manifest: Manifest
  readonly storage: Storage
  readonly dialer: Dialer
  readonly clock: Clock
  readonly random: Random
  readonly core: Core
  /** Milliseconds of a clock that only measures how long work took. */
  readonly now: () => number
  /** Held while the storage is read, decided upon and written. */
  readonly lock: OneAtATime
  readonly keeper: SaltKeeper
  readonly liars: Set<string>
  readonly progress: (progress: SyncProgress) => void
  redactor: Redactor
  secrets: DeviceSecrets
}

export interface DeviceSecrets {
  /** Who deposits, for the central peer. */
  user: Uint8Array
  /** Displaces home zones; known to nobody else. */
  device: Uint8Array
}

/** Reads or draws the secrets. A storage belongs to one federation: STORAGE_CORRUPT under another. */
export async function openSecrets(
  storage: Storage,
  { federation, digest }: OpenedManifest,
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

export function toDecision({ redactor }: Device, nowMs: number): (fix: Fix) => DepositDecision {
  return (fix) => redactor.toDecision(fix, nowMs)
}

/** Throws ABORTED. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new FederationError('ABORTED', 'it was aborted; nothing is lost')
}
