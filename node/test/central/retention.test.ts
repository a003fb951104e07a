import { oneAtATime, simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { retention, retentionToDay, retentionToEpoch } from '../../src/central/retention.ts'
import { timeToDay } from '../../src/central/store/day.ts'
import { memoryStore } from '../../src/central/store/memory-store.ts'
import { silent } from '../../src/platform/log.ts'
import { deposit, group, row } from './store/sample.ts'
import { DAY_MS, START } from './world.ts'

describe('retention', () => {
  it('retention keeps today and retentionDays whole days before', () => {
    expect(retentionToDay(START, 14)).toBe(timeToDay(START) - 14)
    expect(retentionToEpoch(START, 14)).toBe((timeToDay(START) - 14) * 18)
    expect(retentionToEpoch(1, 14)).toBe(0)
  })

  it('retention sweeps at the start and after every midnight, and tries again ten minutes after a failure', async () => {
    const store = memoryStore()
    const clock = simulatedClock(START)
    const today = timeToDay(START)
    for (const day of [today - 30, today - 14, today - 13, today - 12, today]) {
      await store.deposit(deposit(1, day, [group(day * 18, row(day))]))
    }
    const days = async () => (await store.statistics()).days.map(({ day }) => day - today)
    let broken = false
    const failing = {
      ...store,
      dropBefore: (day: number) => (broken ? Promise.reject(new Error('disk full')) : store.dropBefore(day)),
    }
    const sweeping = retention({ store: failing, clock, retentionDays: 14, exclusive: oneAtATime(), log: silent })
    await sweeping.start()
    expect(await days()).toEqual([-14, -13, -12, 0])
    await clock.advanceTo(START + DAY_MS / 2)
    expect(await days()).toEqual([-13, -12, 0])
    broken = true
    await clock.advanceTo(START + 1.5 * DAY_MS)
    expect(await days()).toEqual([-13, -12, 0])
    broken = false
    await clock.advanceTo(START + 1.5 * DAY_MS + 10 * 60_000)
    expect(await days()).toEqual([-12, 0])
    sweeping.stop()
    await clock.advanceTo(START + 40 * DAY_MS)
    expect(await days()).toEqual([-12, 0])
  })
})
