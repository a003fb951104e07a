import { createHash } from 'node:crypto'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import { ristretto255 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { plainRule, thresholdRule } from '../../../src/salt/sheets/line-rules.ts'
import { seedToLines } from '../../../src/salt/sheets/sheet-maker.ts'
import { core } from '../federation.ts'
import { model } from '../ratchet-model.ts'

const { Point } = ristretto255
const group = await loadGroup()
const sha256 = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())

describe('the lines of the saltings', () => {
  it('a line of a part under threshold salting is its part key, of each epoch in several slices', async () => {
    const state = systemRandom(32)
    const rule = thresholdRule(core, group)
    const lines = await seedToLines(core, rule, state, 5_000, 70)
    let current = state
    for (let i = 0; i < 70; i++) {
      const wide = createHash('sha512').update('geotrace/scalar').update(model.hash('geotrace/leaf', current)).digest()
      const key = Point.BASE.multiply(Point.Fn.create(bytesToNumberLE(wide))).toBytes()
      expect(lines.slice(32 * i, 32 * i + 32)).toEqual(key)
      current = model.hash('geotrace/ratchet', current)
    }
  })

  it('a line of the sheet is the hash of the lines of all parts, and under plain salting the line of the only part', () => {
    const parts = [0, 1, 2].map(() => systemRandom(3 * 32))
    const sheet = thresholdRule(core, group).toSheet(parts)
    for (let i = 0; i < 3; i++) {
      const row = parts.map((lines) => lines.subarray(32 * i, 32 * i + 32))
      expect(sheet.slice(32 * i, 32 * i + 32)).toEqual(sha256(...row))
    }
    expect(plainRule(core).toSheet([parts[0]!])).toEqual(parts[0])
  })
})
