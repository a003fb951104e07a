import * as fc from 'fast-check'
import { cellToLatLng, gridDisk, latLngToCell, vertexToLatLng } from 'h3-js'
import { describe, expect, it } from 'vitest'
import type { Tracer } from '../../src/index.ts'
import { fixesToSpeed } from '../../src/redaction/filters.ts'
import {
  cellsToHomes,
  cellsToKnownCells,
  homeToZone,
  timeToEvening,
  timeToNight,
  votesToNights,
} from '../../src/redaction/home.ts'
import { distanceM } from '../../src/redaction/place.ts'
import { isInZone } from '../../src/redaction/zones.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  openTracer,
  START_MS,
  seededRandom,
} from '../../src/testing/fake-federation.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const HOME = { lat: 52.531, lng: 13.39 }
const METRE = 1 / 111_195
const refused = (reason: string) => ({ accepted: false, reason })

/** Offsets in metres, the same in every run. */
function noise(seed: string): (sigma: number) => { lat: number; lng: number } {
  const random = seededRandom(seed)
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

describe('learning home', () => {
  it('takes a night from 01:00 to 05:00 local time and an evening from 22:00', () => {
    const night = 20_413
    const midnight = night * 24 * HOUR
    expect(timeToNight(midnight + HOUR - 1, 0)).toBeUndefined()
    expect(timeToNight(midnight + HOUR, 0)).toBe(night)
    expect(timeToNight(midnight + 5 * HOUR - 1, 0)).toBe(night)
    expect(timeToNight(midnight + 5 * HOUR, 0)).toBeUndefined()
    expect(timeToNight(midnight - HOUR, 120)).toBe(night)
    expect(timeToEvening(midnight - 2 * HOUR - 1, 0)).toBeUndefined()
    expect(timeToEvening(midnight - 2 * HOUR, 0)).toEqual({ night, endsAt: midnight + 5 * HOUR })
    expect(timeToEvening(midnight + 4 * HOUR, 0)).toEqual({ night, endsAt: midnight + 5 * HOUR })
    expect(timeToEvening(midnight - 4 * HOUR, 120)).toEqual({ night, endsAt: midnight + 3 * HOUR })
  })

  it('needs an hour of fixes for a night, and three nights once there are three', () => {
    const cell = (i: number) => latLngToCell(HOME.lat + i * 0.05, HOME.lng, 10)
    const votes = (night: number, place: number, count: number) =>
      Array.from({ length: count }, () => ({ night, cell: cell(place) }))
    expect(votesToNights(votes(1, 0, 11)).size).toBe(0)
    expect([...votesToNights(votes(1, 0, 12))]).toEqual([[1, cell(0)]])
    const nights = votesToNights([...votes(1, 0, 12), ...votes(2, 1, 12)])
    expect(cellsToHomes(nights, 2).sort()).toEqual([cell(0), cell(1)].sort())
    const more = votesToNights([...votes(1, 0, 12), ...votes(2, 1, 20), ...votes(3, 0, 12), ...votes(4, 0, 48)])
    expect(cellsToHomes(more, 4)).toEqual([cell(0)])
    expect(cellsToHomes(more, 17)).toEqual([cell(0)])
    expect(cellsToHomes(more, 18)).toEqual([])
  })

  it('gives nights in neighbouring cells one place, and so one zone', () => {
    const first = latLngToCell(HOME.lat, HOME.lng, 10)
    const [, next] = gridDisk(first, 1)
    const nights = new Map([
      [1, first],
      [2, next!],
      [3, first],
      [4, latLngToCell(HOME.lat + 0.05, HOME.lng, 10)],
    ])
    const { cells: places, known } = cellsToKnownCells(nights, [])
    expect([...places.values()].slice(0, 3)).toEqual([first, first, first])
    expect(known.length).toBe(2)
    expect(cellsToHomes(places, 4)).toEqual([first])
  })

  it('draws one zone for a device and home, with home inside it and its middle elsewhere', () => {
    const home = latLngToCell(HOME.lat, HOME.lng, 10)
    let displaced = 0
    for (let i = 0; i < 40; i++) {
      const secret = seededRandom(`device ${i}`)(32)
      const zone = homeToZone(home, secret, 3)
      expect(homeToZone(home, secret, 3)).toEqual(zone)
      expect(zone.length).toBe(37)
      expect(zone).toContain(home)
      if (zone[0] !== home) displaced++
    }
    expect(displaced).toBeGreaterThan(30)
  })
})

describe('speed and zones', () => {
  it('tells a ride from a jump after a gap', () => {
    const here = at(HOME, START_MS)
    expect(fixesToSpeed(here, at({ lat: HOME.lat + 0.01, lng: HOME.lng }, START_MS + 20_000))).toBeGreaterThan(30)
    expect(fixesToSpeed(here, at({ lat: HOME.lat + 5, lng: HOME.lng }, START_MS + 16 * MINUTE))).toBe(0)
    expect(fixesToSpeed(here, at(HOME, START_MS + 1000, { lat: 8 * METRE, lng: 0 }))).toBe(0)
    expect(fixesToSpeed(undefined, here)).toBe(0)
  })

  it('knows a circle and a polygon, across the date line too', () => {
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 99 * METRE, HOME.lng)).toBe(true)
    expect(isInZone({ ...HOME, radiusM: 100 }, HOME.lat + 101 * METRE, HOME.lng)).toBe(false)
    const corners = [
      { lat: -1, lng: 179 },
      { lat: 1, lng: 179 },
      { lat: 1, lng: -179 },
      { lat: -1, lng: -179 },
    ]
    expect(isInZone({ corners }, 0, 180)).toBe(true)
    expect(isInZone({ corners }, 0, -179.5)).toBe(true)
    expect(isInZone({ corners }, 0, 539.5)).toBe(true)
    expect(isInZone({ corners }, 0, 178.9)).toBe(false)
    expect(isInZone({ corners }, 1.1, 180)).toBe(false)
  })

  it('refuses fixes in a drawn zone, near a marked home and from a fast vehicle, each by its reason', async () => {
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

  it('is all off with redaction: false, and only that', async () => {
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

  it('hashes in time and holds the rows until home is marked', async () => {
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

  it('gives held rows up when their epoch takes no deposits any more', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    await tracer.record(at(far, START_MS - 10 * MINUTE))
    expect(await tracer.sync()).toMatchObject({ fixesHeld: 1, rowsLost: 0 })
    await federation.clock.advanceTo(START_MS + 53 * HOUR)
    expect(await tracer.sync()).toMatchObject({ fixesHeld: 0, rowsLost: 30 })
  })

  it('keeps an evening in a strange bed back until the night is over, and hides it then', async () => {
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
  it('deposits no cell whose middle lies in the home zone or a drawn zone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 0, max: 30 }), async (seed, sigma) => {
        const federation = await fakeFederation({ reserveEpochs: 60 })
        const storage = memoryStorage()
        const tracer = await openTracer(federation, { storage, redaction: {}, random: seededRandom(`life ${seed}`) })
        const zone = { lat: HOME.lat + 0.02, lng: HOME.lng, radiusM: 400 }
        await tracer.zones.add(zone)
        const move = noise(`life ${seed}`)
        const work = { lat: HOME.lat + 0.04, lng: HOME.lng + 0.01 }
        for (let t = START_MS; t < START_MS + 40 * HOUR; t += 5 * MINUTE) {
          await federation.clock.advanceTo(t)
          const hour = Math.floor((t / HOUR) % 24)
          // Home until 8, an hour's walk through the zone to work, back from 17.
          const share =
            hour < 8 || hour >= 18 ? 0 : hour === 8 ? (t % HOUR) / HOUR : hour === 17 ? 1 - (t % HOUR) / HOUR : 1
          const place = { lat: HOME.lat + (work.lat - HOME.lat) * share, lng: HOME.lng + (work.lng - HOME.lng) * share }
          await tracer.record(at(place, t, move(share === 0 ? sigma : 4), share === 0 && sigma > 10 ? 40 : 6))
          if (t % HOUR === 0) await tracer.sync()
        }
        await tracer.sync()
        expect(tracer.home.status()).toMatchObject({ known: true, nights: 2 })
        const secret = (await storage.get('meta/device'))!
        const places = JSON.parse(new TextDecoder().decode(await storage.get('meta/cells'))) as string[]
        // Work, too, until whole days show where most of them is spent.
        const homes = places.filter((cell) => gridDisk(cell, 1).includes(latLngToCell(HOME.lat, HOME.lng, 10)))
        expect([homes.length, places.length]).toEqual([1, 2])
        const homeZone = new Set(homes.flatMap((cell) => homeToZone(cell, secret, 3)))
        const middles = await depositedMiddles(federation, tracer)
        expect(middles.length).toBeGreaterThan(200)
        for (const { lat, lng } of middles) {
          expect(homeZone.has(latLngToCell(lat, lng, 10))).toBe(false)
          expect(distanceM(zone, { lat, lng })).toBeGreaterThan(400)
        }
        // The diary holds exactly what was deposited: every current row of it is known to the centre.
        const user = [...federation.central.users.values()][0]!
        const cells = new Set(middles.map((item) => `${item.lat}/${item.lng}/${Math.floor(item.at / (5 * MINUTE))}`))
        const smallest = [...user.rows.values()].filter((row) => row.size === 5 && (row.lags & 1) === 1)
        expect(smallest.length).toBe(cells.size)
      }),
      { numRuns: 4 },
    )
  })
})
