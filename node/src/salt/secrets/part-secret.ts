/** The secret of a part in an epoch under `threshold`. PROTOCOL.md §5.7. */
import { utf8 } from '@geotrace/core-wasm/wire'

/** The operations of the group that it takes. `Group` of `@geotrace/core-wasm/voprf` has them. */
export interface ScalarGroup {
  /** SHA-512 of the concatenation, 64 bytes. */
  sha512(...parts: readonly Uint8Array[]): Uint8Array
  /** 64 bytes, little-endian, modulo the order of the group. */
  scalarReduce(bytes: Uint8Array): Uint8Array
}

const SCALAR = utf8('geotrace/scalar')

/** s = SHA-512("geotrace/scalar" ‖ leaf) mod L, 32 bytes. The caller wipes it. */
export function leafToPartSecret(group: ScalarGroup, leaf: Uint8Array): Uint8Array {
  const wide = group.sha512(SCALAR, leaf)
  const secret = group.scalarReduce(wide)
  wide.fill(0)
  return secret
}
