import { oneAtATime, simulatedClock } from '@geotrace/core-wasm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextFloor, retention, retentionToDay, retentionToEpoch } from '../../src/central/retention.ts'
import { timeToDay } from '../../src/central/store/day.ts'
import { memoryStore } from '../../src/central/store/memory-store.ts'
import { silent } from '../../src/platform/log.ts'
import { deposit, group, row } from './store/sample.ts'
import { DAY_MS, HOUR_MS, START } from './world.ts'

const TODAY = timeToDay(START)

/** A store with rows of these days, and clocks that can be set. */
async function sweeper(...days: number[]) {
  const store = memoryStore()
  const clock = simulatedClock(START)
  for (const day of days) {
    await store.deposit(deposit(1, day, [group((TODAY + day) * 18, row(day))], { day: TODAY + day }))
  }
  const clocks = { peersMs: 0 as number | undefined, rosterMs: 0 as number | undefined, isBroken: false }
  const sweeping = retention({
    store: {
      ...store,
      dropBefore: (day) => (clocks.isBroken ? Promise.reject(new Error('disk full')) : store.dropBefore(day)),
    },
    clock,
    retentionDays: 14,
    // By default both agree with the clock of this machine.
    peersMs: async () => (clocks.peersMs === 0 ? clock.now() : clocks.peersMs),
    rosterMs: () => (clocks.rosterMs === 0 ? clock.now() : clocks.rosterMs),
    exclusive: oneAtATime(),
    log: silent,
  })
  const left = async () => (await store.statistics()).days.map(({ day }) => day - TODAY)
  return { store, clock, clocks, sweeping, left }
}

describe('retention', () => {
  it('retention keeps today and retentionDays whole days before', () => {
    expect(retentionToDay(START, 14)).toBe(TODAY - 14)
    expect(retentionToEpoch(START, 14)).toBe((TODAY - 14) * 18)
    expect(retentionToEpoch(1, 14)).toBe(0)
  })

  it('a sweep never drops a day that is not old, nor more than one day with rows', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.option(fc.nat(50), { nil: undefined }), (limit, floor, oldest) => {
        const next = nextFloor(limit, floor, oldest)
        if (next === undefined) {
          expect(limit).toBeLessThanOrEqual(floor)
          return
        }
        expect(next).toBeGreaterThan(floor)
        expect(next).toBeLessThanOrEqual(limit)
        // Days without rows go together.
        if (oldest !== undefined && oldest >= floor) expect(next).toBeLessThanOrEqual(oldest + 1)
      }),
    )
  })

  it('retention sweeps at the start and then hourly, drops one day at a time, and tries again after a failure', async () => {
    const { clock, clocks, sweeping, left } = await sweeper(-30, -16, -14, -13, 0)
    await sweeping.start()
    expect(await left()).toEqual([-16, -14, -13, 0])
    await clock.advanceTo(START + HOUR_MS)
    expect(await left()).toEqual([-14, -13, 0])
    await clock.advanceTo(START + 11 * HOUR_MS)
    expect(await left()).toEqual([-14, -13, 0])
    await clock.advanceTo(START + 13 * HOUR_MS)
    expect(await left()).toEqual([-13, 0])
    clocks.isBroken = true
    await clock.advanceTo(START + 38 * HOUR_MS)
    expect(await left()).toEqual([-13, 0])
    clocks.isBroken = false
    await clock.advanceTo(START + 38 * HOUR_MS + 10 * 60_000)
    expect(await left()).toEqual([0])
    await sweeping.stop()
    await clock.advanceTo(START + 40 * DAY_MS)
    expect(await left()).toEqual([0])
  })

  it('a clock that runs fifteen days ahead drops nothing, and deposits go on after it was set right', async () => {
    const { store, clock, clocks, sweeping, left } = await sweeper(-10, -1, 0)
    await sweeping.start()
    clocks.peersMs = START
    await clock.jumpTo(START + 15 * DAY_MS)
    await clock.advanceTo(clock.now() + 30 * HOUR_MS)
    expect(await left()).toEqual([-10, -1, 0])
    // Peers whose clocks are wrong as well do not suffice, because rosters are certified in real time.
    Object.assign(clocks, { peersMs: 0, rosterMs: START })
    await clock.advanceTo(clock.now() + 30 * HOUR_MS)
    expect(await left()).toEqual([-10, -1, 0])
    expect(store.floor()).toBeLessThanOrEqual(TODAY - 14)
    await store.deposit(deposit(1, 99, [group((TODAY - 10) * 18, row('later'))]))
  })

  it('retention waits while no peer answers and while there is no roster', async () => {
    const { clocks, clock, sweeping, left } = await sweeper(-20, 0)
    Object.assign(clocks, { peersMs: undefined })
    await sweeping.start()
    Object.assign(clocks, { peersMs: 0, rosterMs: undefined })
    await clock.advanceTo(START + HOUR_MS)
    expect(await left()).toEqual([-20, 0])
    clocks.rosterMs = 0
    await clock.advanceTo(START + 2 * HOUR_MS)
    expect(await left()).toEqual([0])
    await sweeping.stop()
  })
})
