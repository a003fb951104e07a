import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { ratchetTo, stateToLeaf } from '../../../src/salt/secrets/ratchet.ts'
import { plainRule } from '../../../src/salt/sheets/line-rules.ts'
import { seedToLines } from '../../../src/salt/sheets/sheet-maker.ts'
import { core } from '../federation.ts'
import { model } from '../ratchet-model.ts'

describe('the lines of a sheet', () => {
  it('the lines of 130 epochs, in three slices, equal those of a plain model', async () => {
    const state = systemRandom(32)
    const lines = await seedToLines(core, plainRule(core), state, 5_000, 130)
    let current = state
    for (let i = 0; i < 130; i++) {
      expect(lines.slice(32 * i, 32 * i + 32)).toEqual(model.line(model.hash('geotrace/leaf', current), 5_000 + i))
      current = model.hash('geotrace/ratchet', current)
    }
  })

  it('the event loop runs other work while a sheet of 8,600 epochs is computed', async () => {
    let turns = 0
    const state = systemRandom(32)
    const counting = setInterval(() => turns++, 1)
    const lines = await seedToLines(core, plainRule(core), state, 350_000, 8_600)
    clearInterval(counting)
    expect(turns).toBeGreaterThan(10)
    const leaf = stateToLeaf(core, ratchetTo(core, state, 350_000, 358_599))
    expect(lines.slice(-32)).toEqual(model.line(leaf, 358_599))
  })
})
