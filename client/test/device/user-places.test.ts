import { describe, expect, it } from 'vitest'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { HOUR } from '../fixture.ts'

const HOME = { lat: 52.531, lng: 13.39 }
const OTHER = { lat: 48.137, lng: 11.575 }

describe('a home marked by hand', () => {
  it('its preview is exactly the zone that marking hides, and changes nothing', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    const { zone, nightsAwayM } = tracer.home.preview(HOME)
    expect(tracer.home.zone()).toEqual([])
    expect(nightsAwayM).toBeUndefined()
    await tracer.home.mark(HOME)
    expect(tracer.home.zone().sort()).toEqual(zone.sort())
  })

  it('the preview measures how far the place is from the known nights', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    const morning = Math.ceil(START_MS / (24 * HOUR)) * 24 * HOUR + 5 * HOUR
    await federation.clock.advanceTo(morning)
    for (const fix of life(HOME, morning, 170)) await tracer.record(fix)
    expect(tracer.home.preview(HOME).nightsAwayM).toBeLessThan(200)
    // Berlin to Munich.
    expect(tracer.home.preview(OTHER).nightsAwayM).toBeGreaterThan(450_000)
  })

  it('one marked home can be taken back, and the others stay', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    await tracer.home.mark(HOME)
    await tracer.home.mark(OTHER)
    await tracer.home.unmark(OTHER)
    expect(tracer.home.status().marked).toEqual([HOME])
    await tracer.home.unmark()
    expect(tracer.home.status().marked).toEqual([])
  })

  it('a position outside the Earth is refused without its numbers in the message', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    for (const place of [
      { lat: 91.5, lng: 0 },
      { lat: Number.NaN, lng: 0 },
      { lat: 0, lng: Number.POSITIVE_INFINITY },
    ]) {
      expect(() => tracer.home.preview(place)).toThrow(RangeError)
      await expect(tracer.home.mark(place)).rejects.toThrow('home expected a position in degrees')
    }
  })
})
