import { describe, expect, it } from 'vitest'
import {
  DELAY_INTERVAL_MS,
  DELAY_TARGET_MS,
  type Pressure,
  pressure,
  utilisation,
} from '../../../src/net/guard/pressure.ts'

/** An event loop whose turns have given lengths. */
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
    /** The current turn works for `ms`. */
    busyMs(ms) {
      now += ms
    },
    pressure: made,
  }
}

describe('the pressure on the event loop', () => {
  it('an event loop that keeps up does not lag', () => {
    const { turn, busyMs, pressure } = loop()
    for (let i = 0; i < 500; i++) turn(20 + (i % 20))
    busyMs(30)
    expect(pressure.isLagging()).toBe(false)
  })

  it('one long turn of the event loop is no lag', () => {
    const { turn, busyMs, pressure } = loop()
    turn(20)
    busyMs(900)
    expect(pressure.isLagging()).toBe(false)
    turn(20)
    turn(20)
    expect(pressure.isLagging()).toBe(false)
  })

  it('an event loop lags after 100 ms of late turns, until the first turn in time', () => {
    const { turn, busyMs, pressure } = loop()
    turn(20 + DELAY_TARGET_MS + 1)
    expect(pressure.isLagging()).toBe(false)
    busyMs(DELAY_INTERVAL_MS)
    expect(pressure.isLagging()).toBe(true)
    turn(20 + DELAY_TARGET_MS + 1)
    expect(pressure.isLagging()).toBe(true)
    turn(20 + DELAY_TARGET_MS)
    expect(pressure.isLagging()).toBe(false)
  })
})

describe('the utilisation of the event loop', () => {
  it('the utilisation is the share of work in the last complete window', () => {
    let [idle, active] = [0, 0]
    const read = (since = { idle: 0, active: 0, utilization: 0 }) => {
      const past = { idle: idle - since.idle, active: active - since.active }
      return { ...past, utilization: past.active / (past.idle + past.active || 1) }
    }
    const share = utilisation(read)
    expect(share()).toBe(0)
    idle += 1_500
    active += 500
    expect(share()).toBe(0.25)
    // The result stays until the next window is complete.
    active += 499
    expect(share()).toBe(0.25)
    active += 1
    expect(share()).toBe(1)
    idle += 500
    expect(share()).toBe(0)
  })

  it('the utilisation of this process is high while its event loop spins', async () => {
    const share = utilisation()
    const until = performance.now() + 1_200
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
    expect(share()).toBeGreaterThan(0.9)
  })
})
