import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { seedSearch } from '../../../src/salt/seeds/seed-search.ts'

const NOW = Date.UTC(2026, 5, 1, 12)

describe('the search for seeds', () => {
  it('a roster that comes during a search for seeds causes one more search', async () => {
    const clock = simulatedClock(NOW)
    const answers: ((isMissing: boolean) => void)[] = []
    const search = seedSearch({ clock, seek: () => new Promise((resolve) => answers.push(resolve)), failed() {} })
    search.begin()
    search.begin()
    expect(answers).toHaveLength(1)
    answers[0]!(false)
    await clock.advanceTo(NOW + 1)
    expect(answers).toHaveLength(2)
    answers[1]!(false)
    await clock.advanceTo(NOW + 60_000)
    expect(answers).toHaveLength(2)
    await search.stop()
  })

  it('a search that throws is reported and repeated', async () => {
    const clock = simulatedClock(NOW)
    let [searches, failures] = [0, 0]
    const search = seedSearch({
      clock,
      seek: async () => {
        if (++searches === 1) throw new Error('no answer')
        return false
      },
      failed: () => void failures++,
    })
    search.begin()
    await clock.advanceTo(NOW + 1)
    expect([searches, failures, search.isLacking]).toEqual([1, 1, true])
    await clock.advanceTo(NOW + 2_000)
    expect([searches, failures, search.isLacking]).toEqual([2, 1, false])
    await clock.advanceTo(NOW + 60_000)
    expect(searches).toBe(2)
    await search.stop()
  })

  it('`stop` waits for the running search, and no search follows', async () => {
    const clock = simulatedClock(NOW)
    const answers: ((isMissing: boolean) => void)[] = []
    const search = seedSearch({ clock, seek: () => new Promise((resolve) => answers.push(resolve)), failed() {} })
    search.begin()
    let isStopped = false
    const stopping = search.stop().then(() => {
      isStopped = true
    })
    await clock.advanceTo(NOW + 60_000)
    expect(isStopped).toBe(false)
    answers[0]!(true)
    await stopping
    search.begin()
    await clock.advanceTo(NOW + 120_000)
    expect(answers).toHaveLength(1)
  })
})
