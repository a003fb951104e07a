import * as fc from 'fast-check'
import { cellToLatLng, gridDisk, latLngToCell, vertexToLatLng } from 'h3-js'
import { describe, expect, it } from 'vitest'
import type { Tracer } from '../../src/index.ts'
import { homeToZone } from '../../src/redaction/home.ts'
import { distanceM } from '../../src/redaction/place.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  openTracer,
  START_MS,
  seededBytes,
} from '../../src/testing/fake-federation.ts'
import { HOUR, MINUTE, refused } from '../fixture.ts'

const HOME = { lat: 52.531, lng: 13.39 }
const METRE = 1 / 111_195

/** Offsets in metres, the same in every run. */
function noise(seed: string): (sigma: number) => { lat: number; lng: number } {
  const random = seededBytes(seed)
  const gauss = () => [...random(12)].reduce((sum, byte) => sum + byte / 255, -6)
  return (sigma) => ({ lat: gauss() * sigma * METRE, lng: (gauss() * sigma * METRE) / Math.cos(HOME.lat / 57.3) })
}

function at(place: { lat: number; lng: number }, time: number, offset = { lat: 0, lng: 0 }, accuracyM = 5) {
  return { lat: place.lat + offset.lat, lng: place.lng + offset.lng, accuracyM, at: time }
}

/** Every cell whose rows reached the central peer, as the middle of its hexagon. */
async function depositedMiddles(federation: FakeFederation, tracer: Tracer) {
  const middles: { lat: number; lng: number; at: number }[] = []
  for await (const fix of tracer.diary()) {
    for (const cell of federation.core.fixToCells(fix.lat, fix.lng)) {
      const index = cell.toString(16)
      const [lat, lng] = ((cell >> 59n) & 15n) === 4n ? vertexToLatLng(index) : cellToLatLng(index)
      middles.push({ lat, lng, at: fix.at })
    }
  }
  return middles
}

describe('the redactor', () => {
  it('fixes in a drawn zone, near a marked home and from a fast vehicle are refused, each with its reason', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    const id = await tracer.zones.add({ lat: 52.6, lng: 13.4, radiusM: 300 })
    await tracer.home.mark(HOME)
    const t = START_MS - 2 * HOUR
    expect(await tracer.record(at({ lat: 52.6, lng: 13.4 }, t))).toEqual(refused('redacted-zone'))
    expect(await tracer.record(at(HOME, t + 20 * MINUTE))).toEqual(refused('redacted-home'))
    expect(await tracer.record(at({ lat: 52.4, lng: 13.4 }, t + 40 * MINUTE))).toEqual({ accepted: true })
    expect(await tracer.record(at({ lat: 52.4, lng: 13.5 }, t + 42 * MINUTE))).toEqual(refused('redacted-speed'))
    await tracer.zones.remove(id)
    expect(tracer.zones.list()).toEqual([])
    expect(await tracer.record(at({ lat: 52.6, lng: 13.4 }, t + 60 * MINUTE))).toEqual({ accepted: true })
    await expect(tracer.zones.add({ lat: 91, lng: 0, radiusM: 5 })).rejects.toThrow(RangeError)
    await expect(tracer.zones.add({ corners: [HOME, HOME] })).rejects.toThrow(RangeError)
  })

  it('redaction: false turns off home, zones and speed, and nothing else', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: false })
    expect(await tracer.record(at(HOME, START_MS - HOUR))).toEqual({ accepted: true })
    expect(await tracer.record(at({ lat: 53, lng: 13.4 }, START_MS - HOUR + 5 * MINUTE))).toEqual({ accepted: true })
    expect(await tracer.record(at(HOME, START_MS - HOUR + 9 * MINUTE, undefined, 11))).toEqual(refused('inaccurate'))
    await expect(tracer.home.mark(HOME)).rejects.toThrow(TypeError)
    expect(tracer.home.status()).toMatchObject({ known: true })
  })
})

describe('the cold start', () => {
  const far = { lat: 52.4, lng: 13.6 }

  it('fixes are hashed in time, and their rows wait until home is marked', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    for (let i = 12; i > 0; i--) await tracer.record(at(far, START_MS - i * 5 * MINUTE))
    for (let i = 4; i > 0; i--) await tracer.record(at(HOME, START_MS - 2 * HOUR - i * 5 * MINUTE))
    const held = await tracer.sync()
    expect(held).toMatchObject({ fixesHashed: 16, fixesHeld: 16, rowsDeposited: 0 })
    expect(await tracer.preview()).toMatchObject({ fixesHeld: 16, epochs: [] })
    await tracer.home.mark(HOME)
    await federation.clock.advanceTo(START_MS + 5 * HOUR)
    const released = await tracer.sync()
    expect(released).toMatchObject({ fixesHeld: 0, fixesRedacted: 4, fixesLost: 0 })
    expect(released.rowsDeposited).toBeGreaterThan(60)
  })

  it('held rows are counted lost when their epoch takes no deposits any more', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    await tracer.record(at(far, START_MS - 10 * MINUTE))
    expect(await tracer.sync()).toMatchObject({ fixesHeld: 1, rowsLost: 0 })
    await federation.clock.advanceTo(START_MS + 53 * HOUR)
    expect(await tracer.sync()).toMatchObject({ fixesHeld: 0, rowsLost: 30 })
  })

  it('an evening in a strange bed waits until the night is over, and is then dropped', async () => {
    const federation = await fakeFederation({ reserveEpochs: 30 })
    const tracer = await openTracer(federation, { redaction: {} })
    const midnight = Date.parse('2026-11-22T00:00:00Z')
    for (let t = midnight - 3 * 24 * HOUR; t < midnight - 15 * HOUR; t += 5 * MINUTE) {
      expect(await tracer.record(at(HOME, t))).toEqual(refused('too-old'))
    }
    expect(tracer.home.status()).toMatchObject({ known: true, nights: 3, marked: [] })
    const move = noise('hotel')
    for (let t = midnight - 3 * HOUR; t < midnight + 5 * HOUR; t += 5 * MINUTE) {
      await federation.clock.advanceTo(t)
      await tracer.record(at(far, t, move(8), t < midnight + HOUR ? 6 : 40))
      if (t % HOUR === 0) await tracer.sync()
    }
    const before = [...federation.central.users.values()][0]!.rows.size
    expect((await tracer.preview()).fixesHeld).toBeGreaterThan(20)
    await federation.clock.advanceTo(midnight + 6 * HOUR)
    const result = await tracer.sync()
    expect(result.fixesHeld).toBe(0)
    expect(result.fixesRedacted).toBeGreaterThan(20)
    expect([...federation.central.users.values()][0]!.rows.size).toBe(before)
  })
})

describe('a simulated life', () => {
  it('a simulated life deposits no cell whose middle lies in the home zone or in a drawn zone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 0, max: 30 }), async (seed, sigma) => {
        const federation = await fakeFederation({ reserveEpochs: 60 })
        const storage = memoryStorage()
        const tracer = await openTracer(federation, { storage, redaction: {}, random: seededBytes(`life ${seed}`) })
        const zone = { lat: HOME.lat + 0.02, lng: HOME.lng, radiusM: 400 }
        await tracer.zones.add(zone)
        const move = noise(`life ${seed}`)
        const work = { lat: HOME.lat + 0.04, lng: HOME.lng + 0.01 }
        for (let t = START_MS; t < START_MS + 40 * HOUR; t += 5 * MINUTE) {
          await federation.clock.advanceTo(t)
          const hour = Math.floor((t / HOUR) % 24)
          // At home until 8:00, one hour on foot through the zone to work, and back from 17:00.
          const share =
            hour < 8 || hour >= 18 ? 0 : hour === 8 ? (t % HOUR) / HOUR : hour === 17 ? 1 - (t % HOUR) / HOUR : 1
          const place = { lat: HOME.lat + (work.lat - HOME.lat) * share, lng: HOME.lng + (work.lng - HOME.lng) * share }
          await tracer.record(at(place, t, move(share === 0 ? sigma : 4), share === 0 && sigma > 10 ? 40 : 6))
          if (t % HOUR === 0) await tracer.sync()
        }
        await tracer.sync()
        expect(tracer.home.status()).toMatchObject({ known: true, nights: 2 })
        const secret = (await storage.get('meta/device'))!
        const cells = JSON.parse(new TextDecoder().decode(await storage.get('meta/cells'))) as string[]
        // The workplace counts too, until whole days show where most hours are spent.
        const homes = cells.filter((cell) => gridDisk(cell, 1).includes(latLngToCell(HOME.lat, HOME.lng, 10)))
        expect([homes.length, cells.length]).toEqual([1, 2])
        const homeZone = new Set(homes.flatMap((cell) => homeToZone(cell, secret, 3)))
        const middles = await depositedMiddles(federation, tracer)
        expect(middles.length).toBeGreaterThan(200)
        for (const { lat, lng } of middles) {
          expect(homeZone.has(latLngToCell(lat, lng, 10))).toBe(false)
          expect(distanceM(zone, { lat, lng })).toBeGreaterThan(400)
        }
        // The diary holds exactly the deposited fixes: the central peer knows every current row of it.
        const user = [...federation.central.users.values()][0]!
        const deposited = new Set(
          middles.map((item) => `${item.lat}/${item.lng}/${Math.floor(item.at / (5 * MINUTE))}`),
        )
        const smallest = [...user.rows.values()].filter((row) => row.size === 5 && (row.lags & 1) === 1)
        expect(smallest.length).toBe(deposited.size)
      }),
      { numRuns: 4 },
    )
  })
})
