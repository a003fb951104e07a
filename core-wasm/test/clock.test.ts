import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { simulatedClock, systemClock } from '../src/index.ts'

describe('the simulated clock', () => {
  it('the simulated clock runs timers in the order of their times, and equal times in the order of setting', async () => {
    const clock = simulatedClock(1_000)
    const order: string[] = []
    const note = (name: string) => () => void order.push(`${name} ${clock.now()}`)
    clock.setTimer(note('late'), 30)
    clock.setTimer(note('first'), 10)
    clock.setTimer(note('second'), 10)
    clock.setTimer(note('at once'), 0)
    clock.setTimer(note('beyond'), 31)
    await clock.advanceTo(1_030)
    expect(order).toEqual(['at once 1000', 'first 1010', 'second 1010', 'late 1030'])
    expect(clock.now()).toBe(1_030)
  })

  it('the simulated clock lets the work of a timer settle before the next timer runs, new timers included', async () => {
    const clock = simulatedClock(0)
    const order: string[] = []
    clock.setTimer(async () => {
      await Promise.resolve()
      order.push('a settled')
      clock.setTimer(() => void order.push(`c ${clock.now()}`), 5)
    }, 10)
    clock.setTimer(() => void order.push('b'), 11)
    await clock.advanceTo(20)
    expect(order).toEqual(['a settled', 'b', 'c 15'])
  })

  it('the simulated clock runs a repeating timer each time it falls due', async () => {
    const clock = simulatedClock(0)
    const times: number[] = []
    const tick = () => {
      times.push(clock.now())
      clock.setTimer(tick, 30_000)
    }
    clock.setTimer(tick, 30_000)
    await clock.advanceTo(100_000)
    expect(times).toEqual([30_000, 60_000, 90_000])
  })

  it('the simulated clock does not run a cancelled timer, also when another timer cancels it', async () => {
    const clock = simulatedClock(0)
    const ran = vi.fn()
    clock.setTimer(ran, 5)()
    const cancel = clock.setTimer(ran, 7)
    clock.setTimer(cancel, 6)
    await clock.advanceTo(10)
    expect(ran).not.toHaveBeenCalled()
  })

  it('the simulated clock never goes back and refuses a value that is no time', async () => {
    const clock = simulatedClock(100)
    await expect(clock.advanceTo(99)).rejects.toThrow(RangeError)
    await expect(clock.advanceTo(Number.NaN)).rejects.toThrow(RangeError)
    expect(() => clock.setTimer(() => {}, Number.NaN)).toThrow(RangeError)
    const ran = vi.fn()
    clock.setTimer(ran, -5)
    await clock.advanceTo(100)
    expect(ran).toHaveBeenCalledOnce()
  })

  it('the simulated clock rejects with the error of a timer', async () => {
    const clock = simulatedClock(0)
    clock.setTimer(() => {
      throw new Error('broken')
    }, 1)
    await expect(clock.advanceTo(2)).rejects.toThrow('broken')
  })
})

describe('the system clock', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 5_000 }))
  afterEach(() => void vi.useRealTimers())

  it('the system clock gives the time and runs a timer once, unless it is cancelled', () => {
    const clock = systemClock()
    const [ran, cancelled] = [vi.fn(), vi.fn()]
    clock.setTimer(ran, 20)
    clock.setTimer(cancelled, 20)()
    vi.advanceTimersByTime(100)
    expect(clock.now()).toBe(5_100)
    expect(ran).toHaveBeenCalledOnce()
    expect(cancelled).not.toHaveBeenCalled()
  })

  it('the system clock refuses a delay that the host would treat as zero', () => {
    expect(() => systemClock().setTimer(() => {}, 2 ** 31)).toThrow(RangeError)
    expect(() => systemClock().setTimer(() => {}, Number.NaN)).toThrow(RangeError)
  })
})
