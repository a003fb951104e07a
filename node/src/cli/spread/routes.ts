/**
 * Where reporters have been, for the console. node/CENTRAL.md "The console". The central peer has the published counts by gossip,
 * and its table checked them. It knows no more than anybody else.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type RingPoint,
  type SpreadView,
  spreadPeriods,
  spreadsToCsv,
  spreadsToGeoJson,
  toSpreadView,
} from '@geotrace/core-wasm/spread'
import { DAY_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import type { AdminRoutes } from '../../admin/server.ts'
import type { Membership } from '../../membership/membership.ts'
import type { SpreadTable } from '../../membership/spread-table.ts'
import { cellToPlace, cellToRing } from './geometry.ts'

/** Times are Unix ms. */
interface Uncounted {
  readonly fromMs: number
  readonly untilMs: number
  readonly minimum: number
}
export interface SpreadAnswer {
  /** False when the federation counts no places. */
  readonly isCounted: boolean
  /** Newest first, of the last 14 days. */
  readonly periods: readonly SpreadView[]
  readonly missing: readonly Uncounted[]
  readonly running?: Uncounted
  /** The corners of the shown cells of the newest period, by cell. */
  readonly rings: Readonly<Record<string, readonly RingPoint[]>>
}
export interface SpreadFiles {
  readonly geojson: object
  readonly csv: string
}
/** The parts of a membership that the routes read. */
export interface SpreadSource {
  readonly table: Pick<SpreadTable, 'ruleOf' | 'spreadOf'>
  /** Whether the roster of an epoch counts places. */
  isCounted(epoch: number): boolean
}

export function toSpreadSource(membership: Membership | undefined): SpreadSource | undefined {
  return (
    membership && {
      table: membership.pool.spreads,
      isCounted: (epoch) => membership.rosters.inForce(epoch)?.roster.spread !== undefined,
    }
  )
}

/** `source` gives nothing before the peer knows its federation. */
export function spreadRoutes(source: () => SpreadSource | undefined, clock: Pick<Clock, 'now'>): AdminRoutes {
  return {
    'GET /spread': (): SpreadAnswer => readSpread(source(), clock.now()),
    'GET /spread/files': (): SpreadFiles => {
      const { periods } = readSpread(source(), clock.now())
      return { geojson: spreadsToGeoJson(periods, cellToRing), csv: spreadsToCsv(periods) }
    },
  }
}

function readSpread(source: SpreadSource | undefined, nowMs: number): SpreadAnswer {
  if (source === undefined) return { isCounted: false, periods: [], missing: [], rings: {} }
  const { table } = source
  const { over, running } = spreadPeriods(table.ruleOf, nowMs)
  const [periods, missing]: [SpreadView[], Uncounted[]] = [[], []]
  for (const ruled of over) {
    const spread = table.spreadOf(ruled.period)
    if (spread === undefined) missing.push(toUncounted(ruled))
    else periods.push(toSpreadView({ ...ruled, spread }, cellToPlace, nowMs))
  }
  return {
    isCounted: source.isCounted(timeToEpoch(nowMs)),
    periods,
    missing,
    ...(running && { running: toUncounted(running) }),
    rings: Object.fromEntries((periods[0]?.cells ?? []).map(({ cell }) => [cell, cellToRing(cell)])),
  }
}

function toUncounted({ period, rule }: ReturnType<typeof spreadPeriods>['over'][number]): Uncounted {
  const { periodDays, minimum } = rule.spread
  return { fromMs: period * DAY_MS, untilMs: (period + periodDays) * DAY_MS, minimum }
}
