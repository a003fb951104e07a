import { describe, expect, it } from 'vitest'
import { type Pressure, pressure, SERVED_PER_TURN_MIN } from '../../src/net/pressure.ts'
import { workMeter } from '../../src/net/work-meter.ts'

/** An event loop whose turns take as long as they are told. */
function loop(): { turn(ms: number): void; busyMs(ms: number): void; pressure: Pressure } {
  let now = 0
  let tick = (): void => {}
  const made = pressure({
    now: () => now,
    every(_ms, task) {
      tick = task
      return () => {}
    },
  })
  return {
    /** The timer fires, `ms` after it fired last. */
    turn(ms) {
      now += ms
      tick()
    },
    /** Work of the turn under way. */
    busyMs(ms) {
      now += ms
    },
    pressure: made,
  }
}

describe('the pressure on the event loop', () => {
  it('sheds nothing while the loop keeps up', () => {
    const { turn, busyMs, pressure } = loop()
    for (let i = 0; i < 500; i++) turn(20 + (i % 20))
    busyMs(30)
    expect(pressure.isShedding()).toBe(false)
  })

  it('lets a burst pass, however long one turn takes', () => {
    const { turn, busyMs, pressure } = loop()
    turn(20)
    busyMs(900)
    expect(pressure.isShedding()).toBe(false)
    turn(20)
    turn(20)
    expect(pressure.isShedding()).toBe(false)
  })

  it('serves what comes early in each turn of a loop that stays behind, a number at least, and sheds the rest', () => {
    const { turn, busyMs, pressure } = loop()
    const shedOf = (count: number) => Array.from({ length: count }, () => pressure.isShedding()).filter(Boolean).length
    for (let i = 0; i < 5; i++) turn(90)
    expect(pressure.isShedding()).toBe(false)
    busyMs(44)
    expect(pressure.isShedding()).toBe(false)
    busyMs(2)
    expect(shedOf(100)).toBe(100 - SERVED_PER_TURN_MIN + 2)
    turn(60)
    busyMs(90)
    expect(shedOf(100)).toBe(100 - SERVED_PER_TURN_MIN)
    turn(20)
    turn(20)
    busyMs(90)
    expect(shedOf(100)).toBe(0)
  })
})

describe('the work of one connection', () => {
  it('comes back evenly, up to the burst, and what is refused costs nothing', () => {
    const meter = workMeter(1_000, 4_000)
    expect(meter.spend(4_000, 0)).toBe(true)
    expect(meter.spend(1, 0)).toBe(false)
    expect(meter.spend(2, 1)).toBe(false)
    expect(meter.spend(1, 1)).toBe(true)
    expect(meter.spend(4_000, 3_999)).toBe(false)
    expect(meter.spend(4_000, 4_001)).toBe(true)
    expect(meter.spend(4_001, 1e9)).toBe(false)
  })

  it('is not refilled by a clock that goes back', () => {
    const meter = workMeter(1_000, 10)
    expect(meter.spend(10, 1_000)).toBe(true)
    expect(meter.spend(1, 0)).toBe(false)
    expect(meter.spend(1, 1)).toBe(true)
  })
})
