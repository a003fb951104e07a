import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'

describe('bytes in hex', () => {
  it('hex digits of any length equal those of Node and decode to the same bytes', () => {
    for (const length of [0, 1, 12, 32, 4_095, 4_096, 4_097, 20_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 151) % 256)
      expect(wire.bytesToHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      expect(wire.hexToBytes(wire.bytesToHex(bytes))).toEqual(bytes)
    }
  })
})

describe('cursors over bytes', () => {
  it('a cursor refuses to read past the end, to write past its bound, and to write a number that does not fit', () => {
    expect(() => wire.byteReader(new Uint8Array(3)).u32()).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
    expect(() => wire.byteReader(new Uint8Array(8).fill(255)).time()).toThrow(wire.FederationError)
    expect(() => wire.byteWriter(3).u32(1)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u8(256)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u8(-1)).toThrow(RangeError)
    expect(() => wire.byteWriter(3).u16(1.5)).toThrow(RangeError)
    expect(() => wire.hexToBytes('0G')).toThrow(TypeError)
  })

  it('a writer makes the same message from single bytes and from halves, up to its bound', () => {
    for (const length of [0, 1, 1_023, 1_024, 1_025, 2_047, 3_000, 10_000]) {
      const message = Uint8Array.from({ length }, (_, i) => i * 7)
      const bytewise = wire.byteWriter(10_000)
      for (const byte of message) bytewise.u8(byte)
      expect(bytewise.finish()).toEqual(message)
      const halves = wire
        .byteWriter(length)
        .bytes(message.subarray(0, length >> 1))
        .bytes(message.subarray(length >> 1))
      expect(halves.finish()).toEqual(message)
      expect(() => halves.u8(1)).toThrow(RangeError)
      expect(halves.finish()).toEqual(message)
    }
  })
})
