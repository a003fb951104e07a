/**
 * The federation that a tracer lives in. A manifest is checked whole before a storage is first opened under it; later
 * starts compare its hash, and load none of what checks it. Before anything goes to a network it is checked again, by the
 * rules of the version that runs (network.ts).
 */
import { equalBytes, type Manifest } from '@geotrace/core-wasm/wire'
import { KEYS } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'

export interface OpenedManifest {
  readonly manifest: Manifest
  /** The federation's id. */
  readonly federation: Uint8Array
  /** SHA-256 of the manifest as it was given; undefined where the host has none: then every start checks. */
  readonly digest: Uint8Array | undefined
  /** It was checked just now, not only on an earlier start. */
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
