/**
 * The output of a role on its disk: the mixer's signed items, the teller's spread, or the number of too few slips.
 * PROTOCOL.md §9.8. Throws STORAGE_CORRUPT.
 *
 *  u8 0; u8 signature[64]; item[]   |   u8 1; Spread   |   u8 2; u32 count
 */
import { byteReader, byteWriter, FederationError, SIGNATURE_BYTES } from '@geotrace/core-wasm/wire'

export type RoleOutput =
  | { readonly kind: 'mixed'; readonly signature: Uint8Array; readonly items: Uint8Array }
  | { readonly kind: 'counted'; readonly spread: Uint8Array }
  | { readonly kind: 'too-few'; readonly count: number }

const KINDS = ['mixed', 'counted', 'too-few'] as const

export function encodeOutput(output: RoleOutput): Uint8Array {
  const kind = KINDS.indexOf(output.kind)
  switch (output.kind) {
    case 'mixed': {
      const writer = byteWriter(1 + SIGNATURE_BYTES + output.items.length).u8(kind)
      return writer.bytes(output.signature, SIGNATURE_BYTES).bytes(output.items).finish()
    }
    case 'counted':
      return byteWriter(1 + output.spread.length)
        .u8(kind)
        .bytes(output.spread)
        .finish()
    case 'too-few':
      return byteWriter(5).u8(kind).u32(output.count).finish()
  }
}

export function decodeOutput(bytes: Uint8Array): RoleOutput {
  const reader = byteReader(bytes)
  const kind = KINDS[reader.u8()]
  switch (kind) {
    case 'mixed':
      return { kind, signature: reader.bytes(SIGNATURE_BYTES), items: reader.bytes(reader.left) }
    case 'counted':
      return { kind, spread: reader.bytes(reader.left) }
    case 'too-few':
      return { kind, count: reader.u32() }
  }
  throw new FederationError('STORAGE_CORRUPT', 'a record of the spread has an unknown form', { what: 'spread' })
}
