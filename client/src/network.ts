/**
 * All of a tracer that talks to the federation: loaded with the first sync, so that recording needs no rosters, no
 * signatures and no libp2p. Nothing goes out by a manifest that this process has not checked whole.
 */
import { assertManifest, rosterChain } from '@geotrace/core-wasm/wire'
import type { Device } from './device/device.ts'
import { finishErasure } from './device/finish-erasure.ts'
import { runSync } from './sync.ts'
import type { SyncResult } from './sync-result.ts'

export interface Network {
  sync(signal: AbortSignal | undefined): Promise<SyncResult>
  /** The erasure that began on the device, at the central peer. */
  finishErasure(signal: AbortSignal | undefined): Promise<void>
}

/** Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function openNetwork(device: Device, isManifestChecked: boolean): Network {
  if (!isManifestChecked) assertManifest(device.manifest)
  const rosters = rosterChain(device.manifest)
  return {
    sync: (signal) => runSync(device, rosters, signal),
    finishErasure: (signal) => finishErasure(device, signal),
  }
}
