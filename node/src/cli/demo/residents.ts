/**
 * Simulated residents of the demo and their last hours in one small town. Together they show every rule. Ada reports. Ben
 * sat at her table, and Dan met Ben later. Cleo took the table after Ada had left. Eve left before Ada came. Finn was across
 * town.
 */
import type { Fix } from '@geotrace/client'

export interface Resident {
  name: string
  /** A few words about the resident for the output of the demo. */
  story: string
  home: Venue
  /** Every 5 minutes, ascending. */
  fixes: Fix[]
}
interface Venue {
  lat: number
  lng: number
}

const MINUTE_MS = 60_000
const STEP_MIN = 5
/** Older fixes would be close to the end of the salt window. */
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
} satisfies Record<string, Venue>
type PlaceName = keyof typeof PLACES | 'home'

interface Life {
  name: string
  story: string
  /** More than a kilometre from all stays elsewhere, because a hidden zone may reach as far. */
  home: Venue
  /** Stays as [place, from, to] in minutes before now. The resident walks between two stays. */
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
    // Eve leaves more than one 80-minute block before Ada comes, because the order inside a block is unknown.
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
    home: { lat: 52.48, lng: 13.466 },
    stays: [['acrossTown', 165, 0]],
  },
]

/** Hours that a visitor of the web app may take over: on the chair next to Ada, then past Dan. */
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
 * Minutes that the town's clock is ahead of UTC, so that every demo starts at three in the afternoon of the town. Between
 * 22:00 and 05:00 a client holds its deposits until it knows the home, so a demo at night would show nothing.
 */
export function townOffsetMin(nowMs: number): number {
  const minuteOfDay = Math.floor(nowMs / MINUTE_MS) % (24 * 60)
  return 15 * 60 - minuteOfDay
}

/** The residents as of `nowMs`. `random` gives the noise of their GPS receivers. */
export function simulateResidents(nowMs: number, random: (length: number) => Uint8Array): Resident[] {
  return LIVES.map((life) => live(life, nowMs, random))
}

/** The visitor's hours as GeoJSON, with the home and the offset of the town's clock. */
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

function placeAt(stays: readonly [PlaceName, number, number][], home: Venue, ago: number): Venue {
  const place = (name: PlaceName) => (name === 'home' ? home : PLACES[name])
  const index = stays.findIndex(([, , to]) => ago >= to)
  const [name, from] = stays[index] ?? stays.at(-1)!
  if (ago <= from || index === 0) return place(name)
  const [before, , left] = stays[index - 1]!
  const share = (left - ago) / (left - from)
  const [a, b] = [place(before), place(name)]
  return { lat: a.lat + (b.lat - a.lat) * share, lng: a.lng + (b.lng - a.lng) * share }
}

/** Adds up to 2 m of noise each way, as a good receiver has under open sky. Two fixes at one table share a cell (6.5 m). */
function jitter({ lat, lng }: Venue, random: (length: number) => Uint8Array): Venue {
  const [a = 0, b = 0] = random(2)
  const metres = (byte: number) => (byte / 255 - 0.5) * 4
  return {
    lat: lat + metres(a) / METRES_PER_DEGREE,
    lng: lng + metres(b) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)),
  }
}
