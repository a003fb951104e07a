import type { SyncResult } from '@geotrace/client'
import { HOUR_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { nextHour, nextSync, periodAround, schedule } from '../../../src/cli/replay/schedule.ts'

const T = 1_800_000 * HOUR_MS
const result = (more: Partial<SyncResult>) => ({ fixesDeferred: 0, fixesAgain: 0, fixesHeld: 0, ...more }) as SyncResult

describe('the schedule of a replay', () => {
  it('a schedule returns the earliest time first, and each item once a time', () => {
    const syncs = schedule<string>()
    expect(syncs.next()).toBeUndefined()
    for (const [at, who] of [
      [20, 'ben'],
      [10, 'ada'],
      [20, 'ada'],
      [20, 'ben'],
    ] as const)
      syncs.add(at, who)
    expect(syncs.size).toBe(2)
    expect(syncs.next()).toEqual({ at: 10, due: ['ada'] })
    expect(syncs.next()).toEqual({ at: 20, due: ['ben', 'ada'] })
    expect(syncs.next()).toBeUndefined()
  })

  it('the next full hour comes after the given time, also when that is a full hour', () => {
    expect([T - 1, T, T + 1].map(nextHour)).toEqual([T, T + HOUR_MS, T + HOUR_MS])
  })

  it('a person with fixes left syncs an hour later, with held rows twelve hours later, with neither not again', () => {
    expect(nextSync(T, result({ fixesDeferred: 1, fixesHeld: 1 }))).toBe(T + HOUR_MS)
    expect(nextSync(T, result({ fixesAgain: 1 }))).toBe(T + HOUR_MS)
    expect(nextSync(T, result({ fixesHeld: 1 }))).toBe(T + 12 * HOUR_MS)
    expect(nextSync(T, result({}))).toBeUndefined()
  })

  it('a roster period has no boundary within the days of a replay', () => {
    for (const days of [1, 3, 40, 3_600]) {
      const period = periodAround(T, days)
      const [first, last] = [timeToEpoch(T - 24 * HOUR_MS), timeToEpoch(T + days * 24 * HOUR_MS)]
      expect(Math.floor(first / period)).toBe(Math.floor(last / period))
    }
  })
})
