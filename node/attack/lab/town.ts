/**
 * A synthetic town of 1 km² with 40 venues, whose popularity follows Zipf's law. Half of the people stay at one venue, half
 * walk from venue to venue. The town follows from a seed. The venues are public, so an attacker knows them.
 */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { type SeededRandom, seededRandom } from '../../src/testing/simulated/seeded-random.ts'
import { FIX_MS, FIXES_PER_HOUR, type LabPerson, METRE, type Position, type Scene } from './scene.ts'

const SOUTH_WEST: Position = { lat: 47.2, lng: 8.5 }
const SIDE_M = 1_000
const VENUES = 40
/** Metres a second. */
const WALK = 1.3
const SCATTER_M = 4
/** Steps of the attacker's grid. A hexagon of layer A is 18.7 m wide. */
const GRID_M = 5

/** Unix ms of the hour: in the middle of an epoch, so that every current block lies in that epoch. */
const FROM = Math.ceil(Date.UTC(2026, 10, 20, 8) / EPOCH_MS) * EPOCH_MS + 2 * FIX_MS

export function createTown(people: number, seed = 'town'): Scene {
  const random = seededRandom(seed)
  const venues = Array.from({ length: VENUES }, () => place(random.between(0, SIDE_M), random.between(0, SIDE_M)))
  const folk = Array.from({ length: people }, (_, i): LabPerson => {
    const own = random.fork(`person ${i}`)
    const isMoving = i % 2 === 1
    const positions = isMoving ? walk(venues, own) : stay(venues, own)
    const fixes = positions.map((at, n) => ({ ...scattered(at, own), accuracyM: 5, at: FROM + n * FIX_MS + 1_000 }))
    return { id: `person ${i}`, fixes, isMoving }
  })
  return { name: 'town', people: folk, from: FROM, area: [...venues, ...grid()] }
}

function stay(venues: readonly Position[], random: SeededRandom): Position[] {
  const venue = pickVenue(venues, random)
  return Array.from({ length: FIXES_PER_HOUR }, () => venue)
}

/** Straight lines between venues. */
function walk(venues: readonly Position[], random: SeededRandom): Position[] {
  let [at, to] = [pickVenue(venues, random), pickVenue(venues, random)]
  return Array.from({ length: FIXES_PER_HOUR }, () => {
    const here = at
    for (let left = (WALK * FIX_MS) / 1_000; left > 0; ) {
      const [north, east] = [(to.lat - at.lat) / METRE, (to.lng - at.lng) / eastMetre()]
      const rest = Math.hypot(north, east)
      const share = rest === 0 ? 1 : Math.min(1, left / rest)
      at = { lat: at.lat + north * METRE * share, lng: at.lng + east * eastMetre() * share }
      left -= Math.max(rest * share, 1)
      if (share === 1) to = pickVenue(venues, random)
    }
    return here
  })
}

/** Zipf: the n-th venue has 1/n of the visitors of the first. */
function pickVenue(venues: readonly Position[], random: SeededRandom): Position {
  const total = venues.reduce((sum, _, i) => sum + 1 / (i + 1), 0)
  let rest = random.between(0, total)
  for (const [i, venue] of venues.entries()) {
    rest -= 1 / (i + 1)
    if (rest < 0) return venue
  }
  return venues[0]!
}

function grid(): Position[] {
  const steps = Math.floor(SIDE_M / GRID_M) + 1
  return Array.from({ length: steps * steps }, (_, i) => place((i % steps) * GRID_M, Math.floor(i / steps) * GRID_M))
}

function scattered({ lat, lng }: Position, random: SeededRandom): Position {
  const metres = () => random.between(-SCATTER_M, SCATTER_M)
  return { lat: lat + metres() * METRE, lng: lng + metres() * eastMetre() }
}

function place(eastM: number, northM: number): Position {
  return { lat: SOUTH_WEST.lat + northM * METRE, lng: SOUTH_WEST.lng + eastM * eastMetre() }
}

/** Degrees of longitude in a metre. */
function eastMetre(): number {
  return METRE / Math.cos((SOUTH_WEST.lat * Math.PI) / 180)
}
