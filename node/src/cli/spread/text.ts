/** Spreads as lines for the terminal. PROTOCOL.md §9.6. Pure. */
import { type RuledPeriod, type SpreadView, spreadDeviation, spreadThreshold } from '@geotrace/core-wasm/spread'
import { DAY_MS, type SpreadParameters, spreadBuckets } from '@geotrace/core-wasm/wire'
import { grouped, plural } from '../../admin/page/words.ts'
import { toTable } from '../terminal/output.ts'

/** With fewer people for each cell a map is nearly empty (simulated: two thirds of the largest places are missing). */
const PEOPLE_PER_CELL = 4

export const NO_SPREAD = 'This federation counts no places: its roster has no spread.'

export function viewLines(view: SpreadView, cellsMax: number): string[] {
  const { cells, clusters, counted, threshold, resolution, elsewhere } = view
  const people = cells.reduce((sum, { count }) => sum + count, 0)
  const sd = view.deviation.toFixed(1)
  const hidden = cells.length - cellsMax
  return [
    `Where reporters have been, ${days(view.fromMs, view.untilMs)} (period ${view.period})`,
    `${plural(counted, 'cell')} of resolution ${resolution} counted, ${grouped(cells.length)} shown with ${grouped(people)} people in ${plural(clusters.length, 'cluster')}.`,
    `A count is off by ±${sd} (standard deviation). A cell that is not shown has no more than ${threshold}.`,
    `Elsewhere, or without a place: ${elsewhere < threshold ? `no more than ${threshold}` : `${grouped(elsewhere)} ±${sd}`}.`,
    ...(cells.length === 0 ? [] : ['']),
    ...clusterTable(view, sd),
    ...(cells.length === 0 ? [] : ['']),
    ...cellTable(view, sd, cellsMax),
    ...(hidden > 0 ? [`… and ${plural(hidden, 'more cell')}: --cells ${cells.length}, or geotrace spread export`] : []),
    '',
    ...howCounted(view),
  ]
}

function clusterTable({ clusters }: SpreadView, sd: string): string[] {
  if (clusters.length === 0) return []
  const rows = clusters.map(({ count, lat, lng, cells }, i) => [
    ...[String(i), `${grouped(count)} ±${(Number(sd) * Math.sqrt(cells)).toFixed(1)}`, grouped(cells)],
    position(lat, lng),
  ])
  return toTable([['cluster', 'people', 'cells', 'middle'], ...rows])
}

function cellTable({ cells }: SpreadView, sd: string, cellsMax: number): string[] {
  if (cells.length === 0) return []
  const rows = cells
    .slice(0, cellsMax)
    .map(({ cell, count, lat, lng, cluster }) => [
      ...[cell, `${grouped(count)} ±${sd}`, position(lat, lng), String(cluster)],
    ])
  return toTable([['cell', 'people', 'middle', 'cluster'], ...rows])
}

function howCounted({ mixer, teller, epsilon, minimum }: SpreadView): string[] {
  return [
    `Each reporter's device drew one place of its last 14 days. ${mixer} (mixer) added noise and shuffled.`,
    `${teller} (teller) counted, added noise of its own and signed. The signature and both roles are checked.`,
    `ε = ${epsilon / 1_000} for each of the two noises. Fewer than ${grouped(minimum)} contributions are not counted.`,
  ]
}

export function missingLine({ period, rule }: RuledPeriod): string {
  const span = days(period * DAY_MS, (period + rule.spread.periodDays) * DAY_MS)
  return `${span}: no counts. Fewer than ${grouped(rule.spread.minimum)} took part, or the count is not finished.`
}

export function runningLine({ period, rule }: RuledPeriod): string {
  const endMs = (period + rule.spread.periodDays) * DAY_MS
  const { operators } = rule.certified.roster
  const [mixer, teller] = [rule.mixer, rule.teller].map(({ operator }) => operators[operator]!.name)
  return `Under way: ${days(period * DAY_MS, endMs)}, mixer ${mixer}, teller ${teller}. Counts come after its end.`
}

/** The limits of the parameters: how many people a map needs, and what a coarser one needs. */
export function parameterLines(spread: SpreadParameters): string[] {
  const { areas, resolution, periodDays, minimum, epsilon } = spread
  const counted = spreadBuckets(spread)
  const coarser = Array.from({ length: resolution - 5 }, (_, i) => resolution - 1 - i).map((r) => {
    const cells = spreadBuckets({ areas, resolution: r })
    return [String(r), grouped(cells), grouped(cells * PEOPLE_PER_CELL), thresholdOf(epsilon, cells)]
  })
  const row = [String(resolution), grouped(counted), grouped(counted * PEOPLE_PER_CELL), thresholdOf(epsilon, counted)]
  return [
    `${plural(areas.length, 'area')}, ${plural(counted, 'cell')} of resolution ${resolution}, ${plural(periodDays, 'day')} a period, ε = ${epsilon / 1_000}.`,
    `A count is off by ±${spreadDeviation(epsilon).toFixed(1)} (standard deviation).`,
    `Fewer than ${grouped(minimum)} contributions are not counted.`,
    `A map needs about ${PEOPLE_PER_CELL} people for each cell. With fewer people it is nearly empty:`,
    '',
    ...toTable([['resolution', 'cells', 'people a period', 'shown from'], row, ...coarser]),
    '',
    ...(counted * PEOPLE_PER_CELL > minimum && coarser.length > 0
      ? ['Too few people report? A quorum can amend the spread: geotrace federation propose amend --help']
      : []),
  ]
}

const thresholdOf = (epsilon: number, cells: number): string => String(spreadThreshold(epsilon, cells))

function position(lat: number, lng: number): string {
  return `${lat.toFixed(4)}, ${lng.toFixed(4)}`
}

/** `2026-11-20 to 2026-11-27 UTC`; the end is not part of it. */
function days(fromMs: number, untilMs: number): string {
  const [from, until] = [fromMs, untilMs].map((ms) => new Date(ms).toISOString().slice(0, 10))
  return `${from} to ${until} UTC`
}
