import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { ERASED_MS, recentErasures } from '../../../src/central/sync/erasures.ts'
import { id } from '../store/sample.ts'
import { START } from '../world.ts'

describe('recent erasures', () => {
  it('an erased id is BUSY for ten minutes, and an id that was not erased never', async () => {
    const clock = simulatedClock(START)
    const erasures = recentErasures({ clock, store: memoryStore() })
    await erasures.note(id('a'), true)
    await clock.advanceTo(START + ERASED_MS - 1)
    await expect(erasures.assertNone(id('a'))).rejects.toMatchObject({ code: 'BUSY', data: { retryAfterMs: 1 } })
    await erasures.assertNone(id('b'))
    await clock.advanceTo(START + ERASED_MS)
    await erasures.assertNone(id('a'))
  })

  it('a full list of erasures drops its oldest entry, and a repeated erasure counts as new', async () => {
    const erasures = recentErasures({ clock: simulatedClock(START), store: memoryStore(), max: 2 })
    for (const name of ['a', 'b', 'a', 'c']) await erasures.note(id(name), true)
    await erasures.assertNone(id('b'))
    for (const name of ['a', 'c']) await expect(erasures.assertNone(id(name))).rejects.toThrow()
  })

  it('processes that share a store know the erasures of each other, for at least as long', async () => {
    const clock = simulatedClock(START)
    const store = { ...memoryStore(), capabilities: { writers: 'many' as const, hasBackup: false } }
    const [here, there] = [recentErasures({ clock, store }), recentErasures({ clock, store })]
    await here.note(id('a'), true)
    await here.note(id('b'), false)
    await clock.advanceTo(START + ERASED_MS - 1)
    await expect(there.assertNone(id('a'))).rejects.toMatchObject({ code: 'BUSY' })
    // Strangers are noted in memory only.
    await there.assertNone(id('b'))
    await clock.advanceTo(START + 2 * ERASED_MS)
    await there.assertNone(id('a'))
  })
})
