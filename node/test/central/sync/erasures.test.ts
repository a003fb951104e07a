import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { ERASED_MS, recentErasures } from '../../../src/central/sync/erasures.ts'
import { id } from '../store/sample.ts'
import { START } from '../world.ts'

describe('recent erasures', () => {
  it('an erased id is BUSY for ten minutes, and an id that was not erased never', async () => {
    const clock = simulatedClock(START)
    const erasures = recentErasures(clock)
    erasures.note(id('a'))
    await clock.advanceTo(START + ERASED_MS - 1)
    expect(() => erasures.assertNone(id('a'))).toThrow(
      expect.objectContaining({ code: 'BUSY', data: { retryAfterMs: 1 } }),
    )
    expect(() => erasures.assertNone(id('b'))).not.toThrow()
    await clock.advanceTo(START + ERASED_MS)
    expect(() => erasures.assertNone(id('a'))).not.toThrow()
  })

  it('a full list of erasures drops its oldest entry, and a repeated erasure counts as new', () => {
    const erasures = recentErasures(simulatedClock(START), 2)
    for (const name of ['a', 'b', 'a', 'c']) erasures.note(id(name))
    expect(() => erasures.assertNone(id('b'))).not.toThrow()
    for (const name of ['a', 'c']) expect(() => erasures.assertNone(id(name))).toThrow()
  })
})
