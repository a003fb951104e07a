/**
 * The invented people of `geotrace demo spread`: each of them was at some of a region's places in the last two weeks. Many go to
 * the same few places, as in a town.
 */
import type { Fix } from '@geotrace/client'
import type { Random } from '@geotrace/core-wasm'
import { randomBelow } from '@geotrace/core-wasm/spread'
import { DAY_MS, HOUR_MS } from '@geotrace/core-wasm/wire'

/** The region of PROTOCOL.md §3.3 that has all venues: the centre and the north of Berlin. */
export const AREA = 36_771

interface Venue {
  readonly lat: number
  readonly lng: number
}

/** The first ones draw most people. Each lies in an H3 cell of resolution 6 of its own. */
export const VENUES: readonly Venue[] = [
  { lat: 52.52, lng: 13.405 },
  { lat: 52.54, lng: 13.56 },
  { lat: 52.535, lng: 13.2 },
  { lat: 52.57, lng: 13.41 },
  { lat: 52.755, lng: 13.24 },
  { lat: 52.68, lng: 13.59 },
  { lat: 52.63, lng: 13.3 },
  { lat: 52.65, lng: 13.5 },
  { lat: 52.72, lng: 13.4 },
  { lat: 52.6, lng: 13.15 },
]
const PLACES_A_PERSON = 3
const DAYS = 13
/** Every two hours from 8 to 18 UTC. */
const HOURS = [8, 10, 12, 14, 16, 18] as const
const ACCURACY_M = 10

/** The fixes of one person in the two weeks before `nowMs`, ascending. */
export function inventFixes(nowMs: number, random: Random): Fix[] {
  const below = randomBelow(random)
  const places = Array.from({ length: PLACES_A_PERSON }, () => drawVenue(below))
  const today = Math.floor(nowMs / DAY_MS)
  const fixes: Fix[] = []
  for (let day = today - DAYS; day < today; day++) {
    for (const hour of HOURS) {
      const { lat, lng } = places[below(PLACES_A_PERSON)]!
      fixes.push({ lat, lng, accuracyM: ACCURACY_M, at: day * DAY_MS + hour * HOUR_MS })
    }
  }
  return fixes
}

/** The n-th venue draws 1 / n of the people that the first one draws. */
function drawVenue(below: ReturnType<typeof randomBelow>): Venue {
  const weights = VENUES.map((_, i) => Math.round(1_000 / (i + 1)))
  let left = below(weights.reduce((sum, weight) => sum + weight, 0))
  return VENUES.find((_, i) => {
    left -= weights[i]!
    return left < 0
  })!
}
