/** Checks a whole manifest and names its federation. A file of its own, because zod, CBOR and Ed25519 come with it. */
import { assertManifest, type Manifest, manifestToId, parseManifest } from '@geotrace/core-wasm/wire'

/** Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function checkManifest(given: Manifest | string): { manifest: Manifest; federation: Uint8Array } {
  const manifest = typeof given === 'string' ? parseManifest(given) : assertManifest(given)
  return { manifest, federation: manifestToId(manifest) }
}
