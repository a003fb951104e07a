import { describe, expect, it } from 'vitest'
import { STREAMS_PER_CONNECTION, WORK_PER_REPLY, workMeter } from '../../src/transport/index.ts'

describe('the work of one connection', () => {
  it('the work of a connection refills evenly up to its burst, and refused work costs nothing', () => {
    const meter = workMeter(1_000, 4_000)
    expect(meter.spend(4_000, 0)).toBe(true)
    expect(meter.spend(1, 0)).toBe(false)
    expect(meter.spend(2, 1)).toBe(false)
    expect(meter.spend(1, 1)).toBe(true)
    expect(meter.spend(4_000, 3_999)).toBe(false)
    expect(meter.spend(4_000, 4_001)).toBe(true)
    expect(meter.spend(4_001, 1e9)).toBe(false)
  })

  it('a clock that goes back refills no work', () => {
    const meter = workMeter(1_000, 10)
    expect(meter.spend(10, 1_000)).toBe(true)
    expect(meter.spend(1, 0)).toBe(false)
    expect(meter.spend(1, 1)).toBe(true)
  })

  it('each awaited reply adds its work once, for at most eight replies', () => {
    const meter = workMeter(1, 10)
    meter.expectReply()
    expect(meter.spend(WORK_PER_REPLY + 11, 0)).toBe(false)
    expect(meter.spend(WORK_PER_REPLY, 0)).toBe(true)
    expect(meter.spend(10, 0)).toBe(true)
    expect(meter.spend(1, 0)).toBe(false)
    for (let i = 0; i < 100; i++) meter.expectReply()
    expect(meter.spend(STREAMS_PER_CONNECTION * WORK_PER_REPLY + 1, 0)).toBe(false)
    expect(meter.spend(STREAMS_PER_CONNECTION * WORK_PER_REPLY, 0)).toBe(true)
  })
})
