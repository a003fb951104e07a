/**
 * The published keys of the demo federation. PROTOCOL.md §4.3. Anybody can derive them from the phrase in its manifest,
 * so they serve on the loopback only.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../encoding/bytes.ts'

/** The phrase of the federation.json in this repository. */
export const DEMO_PHRASE = 'everybody knows these keys'

/** The 32-byte Ed25519 secret of a demo role: `operator/NAME`, `peer/NAME` or `seal/NAME`. */
export function demoSecret(phrase: string, role: string): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/demo'), Uint8Array.of(0), utf8(phrase), Uint8Array.of(0), utf8(role)))
}
