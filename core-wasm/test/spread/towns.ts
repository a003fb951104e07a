/**
 * Invented towns and the people that move in them; no real mobility. One area has 40 towns, whose sizes follow Zipf's law.
 * Each person has 3 to 12 places, and recent places weigh more.
 */
import { cellToChildren, cellToLatLng, cellToParent, latLngToCell } from 'h3-js'

const AREA = latLngToCell(48.2, 11.6, 4)
const TOWNS = 40
const KM_PER_DEGREE = 111
const FINE_RESOLUTION = 9
const DAYS = 14

/** Uniform numbers from 0 to 1 (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How many people contribute each cell of a resolution, in the order of h3-js: one vote for each person. */
export function peopleInCells(seed: number, people: number, resolution: number): number[] {
  const draw = uniform(seed)
  const cells = cellToChildren(AREA, FINE_RESOLUTION)
  const towns = makeTowns(cells, draw)
  const sizes = sums(Array.from({ length: TOWNS }, (_, i) => 1 / (i + 1)))
  const buckets = new Map(cellToChildren(AREA, resolution).map((cell, i) => [cell, i]))
  const counts = new Array<number>(buckets.size).fill(0)
  for (let person = 0; person < people; person++) {
    const home = pick(sizes, draw())
    const visited = Array.from({ length: 3 + Math.floor(draw() * 10) }, (_, i) => {
      const town = draw() < 0.8 ? home : pick(sizes, draw())
      const ageDays = draw() * DAYS
      return { cell: pick(towns[town]!, draw()), weight: (1 / (i + 1)) * (1 - ageDays / DAYS) }
    })
    const voted = visited[pick(sums(visited.map(({ weight }) => weight)), draw())]!
    counts[buckets.get(cellToParent(cells[voted.cell]!, resolution))!]!++
  }
  return counts
}

/** For each town the cumulated attraction of all cells. */
function makeTowns(cells: readonly string[], draw: () => number): number[][] {
  const at = cells.map((cell) => cellToLatLng(cell))
  const centres = Array.from({ length: TOWNS }, () => at[Math.floor(draw() * at.length)]!)
  const charms = cells.map(() => 1 / (0.02 + draw()) ** 1.3)
  return centres.map(([lat, lng], i) => {
    const scaleKm = 0.6 + 3.5 * Math.sqrt(1 / (i + 1))
    const width = KM_PER_DEGREE * Math.cos((lat * Math.PI) / 180)
    return sums(
      at.map(([cellLat, cellLng], cell) => {
        const km = Math.hypot((cellLat - lat) * KM_PER_DEGREE, (cellLng - lng) * width)
        return km > 8 * scaleKm ? 0 : Math.exp(-km / scaleKm) * charms[cell]!
      }),
    )
  })
}

function sums(weights: readonly number[]): number[] {
  let sum = 0
  return weights.map((weight) => (sum += weight))
}

/** The first index whose cumulated weight reaches this share of all. */
function pick(cumulated: readonly number[], share: number): number {
  const wanted = share * cumulated.at(-1)!
  let [low, high] = [0, cumulated.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulated[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
