import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadCore } from '../../src/index.ts'
import { randomBytes, seeded } from '../../src/testing/index.ts'

describe.each(['simd', 'scalar'] as const)('CRC-32 (%s build)', async (build) => {
  const core = await loadCore({ build })

  it('CRC-32 has the check value of the polynomial, and 0 for no bytes', () => {
    expect(core.crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
    expect(core.crc32(new Uint8Array(0))).toBe(0)
  })

  // The trailer of a gzip member holds the CRC-32 of its content. Every Node has gzip; only newer ones have zlib.crc32.
  it('CRC-32 equals the checksum in a gzip trailer, at lengths around eight bytes and around the area', () => {
    const data = randomBytes(seeded(61), 50_000)
    for (const length of [0, 1, 7, 8, 9, 15, 16, 17, 16_383, 16_384, 16_385, 32_768, 50_000]) {
      const bytes = data.subarray(0, length)
      const wanted = zlib.gzipSync(bytes).readUInt32LE(zlib.gzipSync(bytes).length - 8)
      expect(core.crc32(bytes)).toBe(wanted)
    }
  })
})
