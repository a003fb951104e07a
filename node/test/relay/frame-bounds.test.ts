import { simulatedClock } from '@geotrace/core-wasm'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { FRAME_TABLE_MAX, FRAMES_PER_DEVICE_HOUR, frameBounds } from '../../src/relay/frame-bounds.ts'

const START = Date.UTC(2026, 10, 20, 12)
const v4 = (n: number) => ({ prefix: `4:203.0.113.${n}`, fence: `4:203.0.113.${n}` })
const v6 = (fence: string, n: number) => ({ prefix: `6:${fence}:${n.toString(16)}00`, fence: `6:${fence}` })
const spent = (retryAfterMs: number) => expect.objectContaining({ code: 'QUOTA_SPENT', data: { retryAfterMs } })

describe('the limit of frames', () => {
  it('an address sends four frames an hour for each device that it may have, then one whenever one is refilled', async () => {
    const clock = simulatedClock(START)
    const bounds = frameBounds({ clock, devices: 3 })
    const [frames, intervalMs] = [3 * FRAMES_PER_DEVICE_HOUR, HOUR_MS / (3 * FRAMES_PER_DEVICE_HOUR)]
    for (let i = 0; i < frames; i++) bounds.admit(v4(1))
    expect(() => bounds.admit(v4(1))).toThrow(spent(intervalMs))
    bounds.admit(v4(2))
    await clock.advanceTo(START + intervalMs - 1)
    expect(() => bounds.admit(v4(1))).toThrow(spent(1))
    await clock.advanceTo(START + intervalMs)
    bounds.admit(v4(1))
    expect(() => bounds.admit(v4(1))).toThrow(spent(intervalMs))
    await clock.advanceTo(START + 5 * HOUR_MS)
    for (let i = 0; i < frames; i++) bounds.admit(v4(1))
    expect(() => bounds.admit(v4(1))).toThrow(spent(intervalMs))
  })

  it('a refused frame costs nothing, and a clock that was set back locks nobody out for more than an interval', async () => {
    const clock = simulatedClock(START)
    const bounds = frameBounds({ clock: { ...clock, now: () => now }, devices: 1 })
    let now = START
    for (let i = 0; i < 4; i++) bounds.admit(v4(1))
    for (let i = 0; i < 9; i++) expect(() => bounds.admit(v4(1))).toThrow(spent(HOUR_MS / 4))
    now = START - 10 * HOUR_MS
    expect(() => bounds.admit(v4(1))).toThrow(spent(HOUR_MS / 4))
    now += HOUR_MS / 4
    bounds.admit(v4(1))
  })

  it('all prefixes of an IPv6 fence have eight times the frames of one of them', () => {
    const bounds = frameBounds({ clock: simulatedClock(START), devices: 1 })
    for (let n = 0; n < 8; n++) for (let i = 0; i < 4; i++) bounds.admit(v6('2001:db8:1', n))
    expect(() => bounds.admit(v6('2001:db8:1', 9))).toThrow(spent(HOUR_MS / 32))
    bounds.admit(v6('2001:db8:2', 9))
  })

  it('a connection without an address is forbidden', () => {
    const bounds = frameBounds({ clock: simulatedClock(START), devices: 1 })
    expect(() => bounds.admit({ prefix: undefined, fence: undefined })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
  })

  it('a full table forgets the network that has most, and not the addresses of another one', () => {
    const bounds = frameBounds({ clock: simulatedClock(START), devices: 1 })
    for (let i = 0; i < 4; i++) bounds.admit(v4(1))
    for (let i = 0; i < FRAME_TABLE_MAX + 2_000; i++) bounds.admit(v6(`2001:db8:${(i >> 3).toString(16)}`, i & 7))
    expect(() => bounds.admit(v4(1))).toThrow(spent(HOUR_MS / 4))
    bounds.admit(v4(2))
  })
})
