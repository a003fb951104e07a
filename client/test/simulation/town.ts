/**
 * People on the move. Each person lives in one town, walks between a few places of the town and stays for a while, so that
 * people meet. Positions scatter by a few metres, as those of GPS receivers do.
 */
import type { SeededRandom } from '@geotrace/node/testing'

export interface Position {
  lat: number
  lng: number
}

/** A number at which every person meets somebody, but not everybody. */
const PEOPLE_PER_TOWN = 6
const PLACES_PER_TOWN = 4
/** Towns span several regions of ~50 km, so that a walk may cross a shard's edge. */
const TOWN_DEGREES = 0.05
const SCATTER_DEGREES = 4 / 111_195
const STAYS = 0.7

/** The places of each town. The first town is for the person who meets nobody. */
export function createTowns(people: number, random: SeededRandom): Position[][] {
  return Array.from({ length: 1 + Math.ceil(people / PEOPLE_PER_TOWN) }, () => {
    const centre = { lat: random.between(-65, 65), lng: random.between(-180, 180) }
    return Array.from({ length: PLACES_PER_TOWN }, () => ({
      lat: centre.lat + random.between(-TOWN_DEGREES, TOWN_DEGREES),
      lng: centre.lng + random.between(-TOWN_DEGREES, TOWN_DEGREES),
    }))
  })
}

/** Returns a function that gives the next position of a person at each call. */
export function walker(town: readonly Position[], random: SeededRandom): () => Position {
  let place = random.pick(town)
  return () => {
    if (!random.chance(STAYS)) place = random.pick(town)
    return {
      lat: place.lat + random.between(-SCATTER_DEGREES, SCATTER_DEGREES),
      lng: place.lng + random.between(-SCATTER_DEGREES, SCATTER_DEGREES),
    }
  }
}
