/**
 * A published spread as people see it: cells with a count that is more than noise, clusters, and how far a count may be off.
 * PROTOCOL.md §9.6. Pure: it reads published counts, so it costs no privacy.
 */
import { DAY_MS } from '../wire/constants.ts'
import { spreadBuckets } from '../wire/spread-rules.ts'
import { toClusters, type WeightedPlace } from './clusters.ts'
import { NOWHERE, spreadGrid } from './grid.ts'
import { type PublishedSpread, SPREAD_FADES_DAYS } from './published.ts'
import { spreadDeviation, spreadThreshold } from './threshold.ts'

export interface SpreadPlace {
  lat: number
  lng: number
}
export interface ShownCell extends SpreadPlace {
  /** H3 index in hex. */
  cell: string
  /** At least the threshold. */
  count: number
  /** Index into `clusters`. */
  cluster: number
}
interface ShownCluster extends SpreadPlace {
  /** People in the shown cells of this cluster. */
  count: number
  cells: number
}
/** One period. Times are Unix ms. */
export interface SpreadView {
  period: number
  fromMs: number
  untilMs: number
  resolution: number
  /** Cells that were counted. */
  counted: number
  /** ε in thousandths. */
  epsilon: number
  /** Slips below which the period would not have been counted. */
  minimum: number
  /** Names of the operators whose members mixed and counted. */
  mixer: string
  teller: string
  /** The standard deviation of a count. */
  deviation: number
  /** Counts below it may be noise; they are not shown. */
  threshold: number
  /** The published count of all who were elsewhere, or took no part. */
  elsewhere: number
  /** Highest count first. */
  cells: ShownCell[]
  /** Most people first. */
  clusters: ShownCluster[]
  /** 1 at the end of the period, 0 from 14 days later on. */
  recency: number
}

/** `toPlace` gives the middle of an H3 cell, in degrees. */
export function toSpreadView(
  { spread, period, rule }: PublishedSpread,
  toPlace: (cell: string) => SpreadPlace,
  nowMs: number,
): SpreadView {
  const { areas, resolution, epsilon, days, counts } = spread
  const grid = spreadGrid(areas, resolution)
  const counted = spreadBuckets(spread)
  const threshold = spreadThreshold(epsilon, counted)
  const places: (WeightedPlace & { cell: string })[] = []
  for (const [bucket, weight] of counts.entries()) {
    if (bucket === NOWHERE || weight < threshold) continue
    const cell = grid.cellOf(bucket).toString(16)
    places.push({ cell, ...toPlace(cell), weight })
  }
  const untilMs = (period + days) * DAY_MS
  const { operators } = rule.certified.roster
  return {
    ...{ period, fromMs: period * DAY_MS, untilMs, resolution, counted, epsilon, minimum: rule.spread.minimum },
    mixer: operators[rule.mixer.operator]!.name,
    teller: operators[rule.teller.operator]!.name,
    deviation: spreadDeviation(epsilon),
    threshold,
    elsewhere: counts[NOWHERE]!,
    ...toShown(places),
    recency: Math.min(1, Math.max(0, 1 - (nowMs - untilMs) / (SPREAD_FADES_DAYS * DAY_MS))),
  }
}

function toShown(places: readonly (WeightedPlace & { cell: string })[]): Pick<SpreadView, 'cells' | 'clusters'> {
  const clusters = toClusters(places).sort((a, b) => b.weight - a.weight)
  const clusterOf = new Map(clusters.flatMap((cluster, i) => cluster.places.map((at) => [at, i] as const)))
  const cells = places.map(({ cell, lat, lng, weight }, at) => ({
    ...{ cell, lat, lng, count: weight, cluster: clusterOf.get(at)! },
  }))
  return {
    cells: cells.sort((a, b) => b.count - a.count || (a.cell < b.cell ? -1 : 1)),
    clusters: clusters.map(({ lat, lng, weight, places: own }) => ({ lat, lng, count: weight, cells: own.length })),
  }
}
