/** Redaction over weeks of simulated lives: nothing is deposited near home, whatever the hours and places of sleep and work. */
import { loadCore } from '@geotrace/core-wasm'
import * as fc from 'fast-check'
import { cellToLatLng, latLngToCell, vertexToLatLng } from 'h3-js'
import { describe, expect, inject, it } from 'vitest'
import { HOME_RESOLUTION, placeToHomeCell } from '../src/redaction/home.ts'
import { openRedactor } from '../src/redaction/redactor.ts'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import { seededBytes } from '../src/testing/fake-federation.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A Monday. */
const START = Date.UTC(2026, 10, 2)
const METRE = 1 / 111_195
/** The central peer takes no older rows. */
const DEPOSIT_MS = 48 * HOUR

interface Place {
  lat: number
  lng: number
}
const north = ({ lat, lng }: Place, metres: number): Place => ({ lat: lat + metres * METRE, lng })
const HOME: Place = { lat: 52.531, lng: 13.39 }
const WORK = north(HOME, 4_000)
const SHOP = north(HOME, -1_500)
const CABIN: Place = { lat: 53.1, lng: 13.2 }
const HOTELS: Place[] = [
  { lat: 48.14, lng: 11.57 },
  { lat: 50.08, lng: 14.43 },
  { lat: 47.37, lng: 8.54 },
]

/** The place of a person at an hour of a day, both counted from the start. */
type Life = (day: number, hour: number) => Place

const worksByDay: Life = (_day, hour) => (hour >= 9 && hour < 18 ? WORK : hour >= 18 && hour < 19 ? SHOP : HOME)
const worksAtNight: Life = (_day, hour) => (hour >= 22 || hour < 6 ? WORK : hour >= 17 && hour < 18 ? SHOP : HOME)
/** `npm test` tries the first two, `npm run test:slow` all. */
const LIVES: Record<string, Life> = {
  'works by day': worksByDay,
  'works every night': worksAtNight,
  'works a week of nights, then a week of days': (day, hour) =>
    Math.floor(day / 7) % 2 === 0 ? worksAtNight(day, hour) : worksByDay(day, hour),
  'works from home and goes out at night': (_day, hour) => (hour >= 20 && hour < 24 ? WORK : HOME),
  'travels in the second week': (day, hour) => {
    const trip = Math.floor(day - 7)
    return trip >= 0 && trip < HOTELS.length && (hour >= 15 || trip > 0) ? HOTELS[trip]! : worksByDay(day, hour)
  },
  'has a second home for long weekends': (day, hour) =>
    day % 7 >= 4 && (day % 7 > 4 || hour >= 15) ? CABIN : worksByDay(day, hour),
}

interface Deposit {
  /** The time of the fix. */
  at: number
  /** Middles of its three hexagons. */
  middles: Place[]
}

/** Lives for `days` days from an hour on, with hourly syncs. */
async function live(life: Life, days: number, fromHour: number, seed: string) {
  const core = await loadCore()
  const random = seededBytes(seed)
  const deviceSecret = random(32)
  const redactor = await openRedactor({ storage: memoryStorage(), deviceSecret, toOffsetMin: () => 0, options: {} })
  const gauss = () => [...random(12)].reduce((sum, byte) => sum + byte / 255, -6)
  const deposits: Deposit[] = []
  let waiting: { lat: number; lng: number; accuracyM: number; at: number }[] = []
  for (let at = START + fromHour * HOUR; at < START + days * DAY; at += 5 * MINUTE) {
    const since = (at - START) / HOUR
    const place = life(Math.floor(since / 24), since % 24)
    // Most fixes indoors are inaccurate: home is learnt from them, but they are not kept.
    const accuracyM = random(1)[0]! < 128 ? 6 : 40
    const fix = {
      ...{ lat: place.lat + gauss() * accuracyM * METRE, lng: place.lng + gauss() * accuracyM * METRE },
      ...{ accuracyM, at },
    }
    redactor.learn(fix)
    if (redactor.toReason(fix, at) === undefined && accuracyM <= 10) waiting.push(fix)
    if (at % HOUR !== 0) continue
    waiting = waiting.filter((item) => {
      const verdict = redactor.toDecision(item, at)
      if (verdict === 'release') deposits.push({ at: item.at, middles: toMiddles(core.fixToCells(item.lat, item.lng)) })
      return verdict === 'hold' && at - item.at < DEPOSIT_MS
    })
    await redactor.forgetBefore(at)
  }
  return { redactor, deposits, endsAt: START + days * DAY }
}

function toMiddles(cells: readonly bigint[]): Place[] {
  return cells.map((cell) => {
    const index = cell.toString(16)
    const [lat, lng] = ((cell >> 59n) & 15n) === 4n ? vertexToLatLng(index) : cellToLatLng(index)
    return { lat, lng }
  })
}

/** Deposits of which a hexagon's middle lies within `cells`. */
function within(deposits: readonly Deposit[], cells: ReadonlySet<string>): Deposit[] {
  return deposits.filter(({ middles }) =>
    middles.some(({ lat, lng }) => cells.has(latLngToCell(lat, lng, HOME_RESOLUTION))),
  )
}

describe.each(Object.entries(LIVES).slice(0, inject('lives')))('a person who %s', (name, life) => {
  it(`a person who ${name} deposits nothing in the zone of home, from the first day on`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 0, max: 23 }), async (seed, fromHour) => {
        const { redactor, deposits, endsAt } = await live(life, 15, fromHour, `${name} ${seed}`)
        const zone = new Set(redactor.homeZone(endsAt))
        expect(zone.has(placeToHomeCell(HOME.lat, HOME.lng))).toBe(true)
        expect(within(deposits, zone).filter(({ at }) => isAt(life, HOME, at))).toEqual([])
        // Fixes elsewhere are deposited.
        expect(deposits.length).toBeGreaterThan(50)
      }),
      { numRuns: 3 },
    )
  }, 60_000)
})

describe('a bed elsewhere', () => {
  it('a bed elsewhere is hidden in the evening and at night, and like home from its third night on', async () => {
    const life = LIVES['has a second home for long weekends']!
    const { redactor, deposits, endsAt } = await live(life, 14, 0, 'cabin')
    const zone = new Set(redactor.homeZone(endsAt))
    expect(zone.has(placeToHomeCell(CABIN.lat, CABIN.lng))).toBe(true)
    const there = within(deposits, zone).filter(({ at }) => isAt(life, CABIN, at))
    expect(there.filter(({ at }) => (at / HOUR) % 24 >= 22 || (at / HOUR) % 24 < 5)).toEqual([])
    // Deposited from Friday afternoon to the third night, because until then the stay may be an excursion.
    expect(there.length).toBeGreaterThan(0)
    expect(there.filter(({ at }) => at >= START + 7 * DAY)).toEqual([])
  }, 60_000)
})

function isAt(life: Life, place: Place, at: number): boolean {
  const since = (at - START) / HOUR
  return life(Math.floor(since / 24), since % 24) === place
}
