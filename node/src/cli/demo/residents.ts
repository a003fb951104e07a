/**
 * Simulated residents of the demo: lives of the last hours in one small town, so that every rule shows.
 * Ada reports. Ben sat at her table; Cleo took the table after Ada had left; Dan met Ben later; Eve left before Ada came;
 * Finn was across town.
 */
import type { Fix } from '@geotrace/client'

export interface Resident {
  name: string
  /** What happened, for the person who watches. */
  story: string
  home: Place
  /** Every 5 minutes, ascending. */
  fixes: Fix[]
}
export interface Place {
  lat: number
  lng: number
}

const MINUTE_MS = 60_000
const STEP_MIN = 5
/** Older fixes would be close to the edge of the salt window. */
const PAST_MIN = 165
const ACCURACY_M = 5
const METRES_PER_DEGREE = 111_320

const PLACES = {
  cafe: { lat: 52.52, lng: 13.405 },
  gym: { lat: 52.524, lng: 13.411 },
  library: { lat: 52.517, lng: 13.398 },
  office: { lat: 52.5225, lng: 13.396 },
  park: { lat: 52.515, lng: 13.409 },
  station: { lat: 52.5255, lng: 13.4025 },
  acrossTown: { lat: 52.49, lng: 13.45 },
} satisfies Record<string, Place>
type PlaceName = keyof typeof PLACES | 'home'

interface Life {
  name: string
  story: string
  home: Place
  /** As [place, from, to] in minutes before now; between two stays one walks. */
  stays: [PlaceName, number, number][]
}
const LIVES: Life[] = [
  {
    name: 'ada',
    story: 'reports',
    home: { lat: 52.531, lng: 13.39 },
    stays: [
      ['home', 165, 90],
      ['cafe', 70, 40],
      ['library', 20, 0],
    ],
  },
  {
    name: 'ben',
    story: 'sat at her table',
    home: { lat: 52.511, lng: 13.389 },
    stays: [
      ['office', 165, 85],
      ['cafe', 65, 40],
      ['gym', 25, 0],
    ],
  },
  {
    name: 'cleo',
    story: 'took the table after she had left',
    home: { lat: 52.509, lng: 13.421 },
    stays: [
      ['park', 165, 50],
      ['cafe', 30, 5],
      ['cafe', 0, 0],
    ],
  },
  {
    name: 'dan',
    story: 'met Ben later',
    home: { lat: 52.534, lng: 13.42 },
    stays: [
      ['station', 165, 60],
      ['gym', 40, 0],
    ],
  },
  {
    // More than one 80-minute block before Ada: nearer than that, the order inside a block is unknown.
    name: 'eve',
    story: 'left the table before she came',
    home: { lat: 52.506, lng: 13.401 },
    stays: [
      ['cafe', 165, 155],
      ['home', 125, 0],
    ],
  },
  {
    name: 'finn',
    story: 'was across town',
    home: { lat: 52.488, lng: 13.461 },
    stays: [['acrossTown', 165, 0]],
  },
]

/** Hours that whoever opens the web app may take over: at the next chair of Ada's table, then past Dan. */
const VISITOR: Life = {
  name: 'you',
  story: 'sat beside her',
  home: { lat: 52.5295, lng: 13.4215 },
  stays: [
    ['home', 165, 90],
    ['cafe', 60, 40],
    ['park', 20, 0],
  ],
}

/**
 * Minutes that the town's clock is ahead of UTC: it is three in the afternoon there whenever a demo starts. From 22:00 to
 * 05:00 deposits are held back until the night's place is known, and a demo at night would show nothing.
 */
export function townOffsetMin(nowMs: number): number {
  const minuteOfDay = Math.floor(nowMs / MINUTE_MS) % (24 * 60)
  return 15 * 60 - minuteOfDay
}

/** The residents as of `nowMs`; `random` gives the noise of their receivers. */
export function simulateResidents(nowMs: number, random: (length: number) => Uint8Array): Resident[] {
  return LIVES.map((life) => live(life, nowMs, random))
}

/** The visitor's hours as GeoJSON, with the home and the town's clock beside it. */
export function simulateVisitor(nowMs: number, random: (length: number) => Uint8Array): object {
  const { home, fixes } = live(VISITOR, nowMs, random)
  const features = fixes.map(({ lat, lng, accuracyM, at }) => ({
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [lng, lat] },
    properties: { time: new Date(at).toISOString(), accuracyM },
  }))
  return { type: 'FeatureCollection', home, offsetMin: townOffsetMin(nowMs), features }
}

function live({ name, story, home, stays }: Life, nowMs: number, random: (length: number) => Uint8Array): Resident {
  const fixes: Fix[] = []
  for (let ago = PAST_MIN; ago >= 0; ago -= STEP_MIN) {
    const { lat, lng } = jitter(placeAt(stays, home, ago), random)
    fixes.push({ lat, lng, accuracyM: ACCURACY_M, at: nowMs - ago * MINUTE_MS })
  }
  return { name, story, home, fixes }
}

function placeAt(stays: readonly [PlaceName, number, number][], home: Place, ago: number): Place {
  const place = (name: PlaceName) => (name === 'home' ? home : PLACES[name])
  const index = stays.findIndex(([, , to]) => ago >= to)
  const [name, from] = stays[index] ?? stays.at(-1)!
  if (ago <= from || index === 0) return place(name)
  const [before, , left] = stays[index - 1]!
  const share = (left - ago) / (left - from)
  const [a, b] = [place(before), place(name)]
  return { lat: a.lat + (b.lat - a.lat) * share, lng: a.lng + (b.lng - a.lng) * share }
}

/** Up to 2 m off each way, as a good receiver under open sky: two at one table always share a cell (6.5 m). */
function jitter({ lat, lng }: Place, random: (length: number) => Uint8Array): Place {
  const [a = 0, b = 0] = random(2)
  const metres = (byte: number) => (byte / 255 - 0.5) * 4
  return {
    lat: lat + metres(a) / METRES_PER_DEGREE,
    lng: lng + metres(b) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)),
  }
}
