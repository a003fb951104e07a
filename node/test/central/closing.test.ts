import { oneAtATime, simulatedClock } from '@geotrace/core-wasm'
import { EPOCH_MS, HOUR_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { closing, isDue } from '../../src/central/closing.ts'
import type { Log } from '../../src/platform/log.ts'

describe('the closing of epochs', () => {
  const ends = (epoch: number) => (epoch + 1) * EPOCH_MS
  const start = ends(100)

  it('an epoch is due when it reaches 4, 12, 24 and 49 hours, once each', () => {
    const due = []
    for (let hour = 0; hour < 60; hour++) {
      const nowMs = start + hour * HOUR_MS
      if (isDue(100, nowMs - HOUR_MS, nowMs)) due.push(hour)
    }
    expect(due).toEqual([4, 12, 24, 49])
    expect(isDue(100, Number.NEGATIVE_INFINITY, start + 4 * HOUR_MS - 1)).toBe(false)
    expect(isDue(100, Number.NEGATIVE_INFINITY, start + 400 * HOUR_MS)).toBe(true)
  })

  it('a start closes every ended epoch, later hours close what is due, and a failed hour is repeated', async () => {
    const clock = simulatedClock(start + 5 * HOUR_MS)
    const closed: number[] = []
    const logged: string[] = []
    let fails = true
    const store = {
      epochs: async () => [90, 100, 102, 103],
      closeEpoch: async (epoch: number) => {
        if (fails && epoch === 100) throw Object.assign(new Error('full'), { code: 'STORAGE_FULL' })
        closed.push(epoch)
        return 1
      },
    }
    const log = { error: (event: string, fields: object) => logged.push(`${event} ${JSON.stringify(fields)}`) }
    let rounds = 0
    const note = () => void rounds++
    const subject = closing({ store, clock, exclusive: oneAtATime(), closed: note, log: log as unknown as Log })
    subject.start()
    await clock.advanceTo(start + 5 * HOUR_MS + 1)
    expect([closed, logged]).toEqual([[90], ['store.not-closed {"code":"STORAGE_FULL"}']])
    fails = false
    await clock.advanceTo(start + 6 * HOUR_MS)
    expect(closed).toEqual([90, 90, 100])
    await clock.advanceTo(start + 8 * HOUR_MS)
    expect(closed).toEqual([90, 90, 100, 102, 103])
    // The failed round is none.
    expect(rounds).toBe(3)
    await subject.stop()
    await clock.advanceTo(start + 40 * HOUR_MS)
    expect(closed).toHaveLength(5)
  })
})
