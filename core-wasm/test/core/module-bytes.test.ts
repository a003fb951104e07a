import { afterEach, expect, it, vi } from 'vitest'
import { fromHex } from '../../src/core/module-bytes.ts'
import { randomBytes, seeded } from '../../src/testing/index.ts'

afterEach(() => vi.unstubAllGlobals())

it('hex decodes to its bytes with each decoder that hosts have and without one', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  const given = [new Uint8Array(0), all, randomBytes(seeded(41), 40_001)]
  const texts = given.map((bytes) => Buffer.from(bytes).toString('hex'))
  for (const [i, text] of texts.entries()) expect(Buffer.compare(fromHex(text), given[i]!)).toBe(0)
  vi.stubGlobal('Buffer', undefined)
  const decoder = Uint8Array as { fromHex?: unknown }
  const hosts = decoder.fromHex
  decoder.fromHex = undefined
  try {
    for (const [i, text] of texts.entries()) expect([...fromHex(text)]).toEqual([...given[i]!])
  } finally {
    decoder.fromHex = hosts
  }
})
