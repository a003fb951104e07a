/**
 * Opens the manifest of a federation. The manifest is checked whole before a storage is first opened under it. Later starts
 * compare its hash and load no code that checks it. Before anything goes to a network the manifest is checked again, by the
 * rules of the running version (sync.ts). Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK.
 */
import { equalBytes, type Manifest } from '@geotrace/core-wasm/wire'
import { KEYS } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'

export interface OpenedManifest {
  readonly manifest: Manifest
  /** The federation's id. */
  readonly federation: Uint8Array
  /** SHA-256 of the manifest as given. Undefined where the runtime has no SHA-256; then every start checks. */
  readonly digest: Uint8Array | undefined
  /** True when this start checked the manifest, false when only an earlier start did. */
  readonly isChecked: boolean
}

/** Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export async function openManifest(storage: Storage, given: Manifest | string): Promise<OpenedManifest> {
  const text = typeof given === 'string' ? given : JSON.stringify(given)
  const digest = await digestOf(text)
  const federation = await storage.get(KEYS.federation)
  const known = await storage.get(KEYS.manifest)
  if (digest !== undefined && federation !== undefined && known !== undefined && equalBytes(known, digest)) {
    return { manifest: JSON.parse(text), federation, digest, isChecked: false }
  }
  const { checkManifest } = await import('./check-manifest.ts')
  return { ...checkManifest(given), digest, isChecked: true }
}

async function digestOf(text: string): Promise<Uint8Array | undefined> {
  const subtle = globalThis.crypto?.subtle
  return subtle && new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
