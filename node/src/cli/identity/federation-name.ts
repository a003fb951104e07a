/** The digits of a federation id that two people compare: status, doctor, page, log and `found` all show them. */
import { bytesToHex, type FrozenManifest, manifestToId } from '@geotrace/core-wasm/wire'

const ID_DIGITS = 16

export function federationName(manifest: FrozenManifest): string {
  return bytesToHex(manifestToId(manifest)).slice(0, ID_DIGITS)
}
