/**
 * The parameters of a spread and their bounds: its areas, its cells, its noise. PROTOCOL.md §9.1, §9.4. Pure.
 * Throws RangeError for a region that does not exist.
 */

/** The resolution of regions, and so of the areas of a spread. */
export const SPREAD_AREA_RESOLUTION = 4
/** Buckets of a spread without bucket 0: five areas at resolution 8. The counts then fit one gossip message. */
const SPREAD_BUCKETS_MAX = 12_005
/** Dummies that the mixer adds on average: 22 MB of items, and minutes of its processor. */
const SPREAD_DUMMIES_MAX = 393_216
/** The chance that a bucket would need fewer than no dummies, and so the δ of the differential privacy. */
const DELTA = 1e-6
/** Areas at resolution 5, whose counts still fit one gossip message. */
export const SPREAD_AREAS_MAX = SPREAD_BUCKETS_MAX / 7
/** Slips of a period that are mixed; of more, the central peer draws so many. */
export const SPREAD_SLIPS_MAX = 65_536
export const REGIONS = 288_122
const REGIONS_PER_HEXAGON = 2_401
const REGIONS_PER_PENTAGON = 2_001
const BASES = 122
const PENTAGONS: readonly number[] = [4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117]

/** `parameters.spread` of the manifest. */
export interface SpreadParameters {
  /** Region numbers, ascending. */
  areas: number[]
  resolution: number
  periodDays: number
  /** Slips below which a period is not counted. */
  minimum: number
  /** Thousandths. */
  epsilon: number
}

/** Why no federation can have this spread; undefined when it can. */
export function spreadToProblem(spread: SpreadParameters): string | undefined {
  const { areas, epsilon } = spread
  if (areas.some((area, i) => i > 0 && area <= areas[i - 1]!)) return 'expected ascending areas, each once'
  const pentagon = areas.find((area) => isPentagon(area))
  if (pentagon !== undefined) return `the area ${pentagon} is a pentagon: leave it out`
  const buckets = spreadBuckets(spread)
  if (buckets > SPREAD_BUCKETS_MAX)
    return `expected at most ${SPREAD_BUCKETS_MAX} cells, got ${buckets}: choose fewer areas or a lower resolution`
  const dummies = (buckets + 1) * noiseOffset(epsilon)
  return dummies > SPREAD_DUMMIES_MAX
    ? `expected at most ${SPREAD_DUMMIES_MAX} dummies, got ${dummies}: choose a higher epsilon or fewer cells`
    : undefined
}

/** Buckets without bucket 0. */
export function spreadBuckets({ areas, resolution }: Pick<SpreadParameters, 'areas' | 'resolution'>): number {
  return areas.length * 7 ** (resolution - SPREAD_AREA_RESOLUTION)
}

/** Dummies of a bucket before noise: the least o with e^(−εo) / (1 + e^(−ε)) ≤ 10⁻⁶. `epsilon` in thousandths. */
export function noiseOffset(epsilon: number): number {
  const a = Math.exp(-epsilon / 1_000)
  let offset = 1
  while (a ** offset / (1 + a) > DELTA) offset++
  return offset
}

/** Base cell of a region, and the place of the region within it. Throws RangeError. */
export function regionToBase(region: number): { baseCell: number; position: number; isPentagon: boolean } {
  let position = region
  for (let baseCell = 0; baseCell < BASES && Number.isInteger(region) && region >= 0; baseCell++) {
    const isPentagonal = PENTAGONS.includes(baseCell)
    const size = isPentagonal ? REGIONS_PER_PENTAGON : REGIONS_PER_HEXAGON
    if (position < size) return { baseCell, position, isPentagon: isPentagonal }
    position -= size
  }
  throw new RangeError(`"region" expected a region number, got ${region}`)
}

function isPentagon(region: number): boolean {
  const { position, isPentagon: isPentagonal } = regionToBase(region)
  return isPentagonal && position === 0
}
