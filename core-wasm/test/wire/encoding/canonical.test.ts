import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { decodeCanonical } from '../../../src/wire/encoding/canonical.ts'

const schema = z.strictObject({ a: z.int(), b: z.int() })
const refuse = (reason: string): never => {
  throw new RangeError(reason)
}
const decode = (bytes: Uint8Array, max = 64) => decodeCanonical(bytes, schema, max, refuse)

describe('canonical CBOR', () => {
  it('canonical bytes decode to their value', () => {
    expect(decode(encode({ b: 2, a: 1 }))).toEqual({ a: 1, b: 2 })
  })

  it('bytes in another encoding or shape, above the bound, or without CBOR are refused', () => {
    // The first has its keys out of order, the second writes 1 in two bytes.
    const others = [
      Uint8Array.of(0xa2, 0x61, 0x62, 2, 0x61, 0x61, 1),
      Uint8Array.of(0xa2, 0x61, 0x61, 0x18, 1, 0x61, 0x62, 2),
    ]
    for (const bytes of [...others, encode({ a: 1 }), encode({ a: 1, b: 2, c: 3 }), Uint8Array.of(0xff)]) {
      expect(() => decode(bytes)).toThrow(RangeError)
    }
    const bytes = encode({ a: 1, b: 2 })
    expect(() => decode(bytes, bytes.length - 1)).toThrow(RangeError)
    expect(decode(bytes, bytes.length)).toEqual({ a: 1, b: 2 })
  })
})
