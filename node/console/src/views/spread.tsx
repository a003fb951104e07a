/** Where reporters have been: the published counts as a map, a legend, tables, and files for other programs. */
import { toneRanges, toTone } from '../../../../client/app/src/spread/tones.ts'
import { get, type SpreadAnswer, type SpreadFiles } from '../control.ts'
import { Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, day, plural } from '../words.ts'

type Period = SpreadAnswer['periods'][number]

const CELLS_MAX = 50
const MAP_PX = 640
const KM2: Readonly<Record<number, string>> = { 5: '253', 6: '36', 7: '5.2', 8: '0.74' }

export function SpreadView() {
  const { value, fault } = usePolled<SpreadAnswer>('/spread')
  if (value === undefined) return <p class="quiet">{fault?.message ?? 'Reading …'}</p>
  const { isCounted, periods, missing, running, rings } = value
  const [newest] = periods
  return (
    <>
      <p>
        These counts are public: everybody can read them from the federation. This peer knows no more than they say.
      </p>
      {newest === undefined && <p class="notice">{toNothing(value)}</p>}
      {newest !== undefined && <Newest period={newest} rings={rings} />}
      {missing.map(({ fromMs, untilMs, minimum }) => (
        <p key={fromMs} class="quiet">
          {days(fromMs, untilMs)}: no counts. Fewer than {count(minimum)} took part, or the count is not finished.
        </p>
      ))}
      {isCounted && running !== undefined && (
        <p class="quiet">Under way: {days(running.fromMs, running.untilMs)}. It is counted after its end.</p>
      )}
      {newest !== undefined && <Files />}
      {periods.map((period) => (
        <Cells key={period.period} period={period} />
      ))}
    </>
  )
}

function toNothing({ isCounted, missing }: SpreadAnswer): string {
  if (!isCounted && missing.length === 0)
    return 'This federation does not count places. A quorum can amend that: geotrace federation propose amend --help'
  return 'Nothing is published yet.'
}

function Newest({ period, rings }: { period: Period; rings: SpreadAnswer['rings'] }) {
  const { cells, clusters, threshold, fromMs, untilMs, resolution, counted } = period
  const people = cells.reduce((sum, cell) => sum + cell.count, 0)
  return (
    <section class="panel">
      <h2>{days(fromMs, untilMs)}</h2>
      <p>
        {cells.length === 0
          ? `None of ${plural(counted, 'cell')} has more than ${count(threshold)} people, so nothing is shown.`
          : `${plural(people, 'person', 'people')} in ${plural(cells.length, 'cell')} of ${KM2[resolution]} km², of ${count(counted)} that were counted, in ${plural(clusters.length, 'cluster')}.`}
      </p>
      {cells.length > 0 && <CellMap period={period} rings={rings} />}
      <Legend period={period} />
      <HowCounted period={period} />
    </section>
  )
}

/** The shown cells of one period, without a ground. North is up. */
function CellMap({ period: { cells, threshold, clusters }, rings }: { period: Period; rings: SpreadAnswer['rings'] }) {
  const [lngs, lats] = [0, 1].map((axis) => cells.flatMap(({ cell }) => rings[cell]!.map((point) => point[axis]!)))
  const [west, east, south, north] = [Math.min(...lngs!), Math.max(...lngs!), Math.min(...lats!), Math.max(...lats!)]
  const flat = Math.cos(((south + north) / 2) * (Math.PI / 180))
  const scale = MAP_PX / Math.max((east - west) * flat, north - south)
  const [width, height] = [(east - west) * flat * scale, (north - south) * scale]
  const toPoint = (lng: number, lat: number) => [(lng - west) * flat * scale, (north - lat) * scale] as const
  return (
    <svg
      class="spread-map"
      viewBox={`-2 -2 ${width + 4} ${height + 4}`}
      role="img"
      aria-label={`Map of ${plural(cells.length, 'cell')}; the table below has the numbers`}
    >
      {cells.map(({ cell, count: people }) => (
        <polygon
          key={cell}
          class={`spread-${toTone(people, threshold) + 1}`}
          points={rings[cell]!.map(([lng, lat]) => toPoint(lng, lat).join()).join(' ')}
        />
      ))}
      {clusters.map(({ lat, lng }, i) => {
        const [x, y] = toPoint(lng, lat)
        return (
          <text key={`${lat},${lng}`} x={x} y={y}>
            {i + 1}
          </text>
        )
      })}
    </svg>
  )
}

function Legend({ period: { threshold, deviation } }: { period: Period }) {
  return (
    <figure class="tones">
      <figcaption>People in a cell, ±{deviation.toFixed(1)} (standard deviation)</figcaption>
      <ol>
        {toneRanges(threshold).map(({ from, until }, i) => (
          <li key={from}>
            <span class={`tone tone-${i + 1}`} aria-hidden="true" />
            {until === undefined ? `${count(from)} or more` : `${count(from)}–${count(until - 1)}`}
          </li>
        ))}
      </ol>
      <p class="quiet">A cell that is not shown has no more than {count(threshold)}. Numbers on the map: clusters.</p>
    </figure>
  )
}

function HowCounted({ period: { mixer, teller, epsilon, minimum } }: { period: Period }) {
  return (
    <details>
      <summary>How this was counted</summary>
      <ul>
        <li>Each reporter’s device drew one place of its last 14 days. It counts once.</li>
        <li>
          {mixer} (mixer) added noise and shuffled. {teller} (teller) opened, counted, added noise of its own and
          signed.
        </li>
        <li>
          ε = {epsilon / 1_000} for each of the two noises. Fewer than {count(minimum)} contributions are not counted.
        </li>
        <li>This peer checked the signature, both roles and the parameters against the roster.</li>
      </ul>
    </details>
  )
}

/** The files hold what the tables show, of all periods. */
function Files() {
  const save = async (kind: keyof SpreadFiles) => {
    const files = await get<SpreadFiles>('/spread/files')
    const text = kind === 'csv' ? files.csv : JSON.stringify(files.geojson)
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text], { type: kind === 'csv' ? 'text/csv' : 'application/geo+json' }))
    link.download = `spread.${kind}`
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <p class="row">
      <button type="button" onClick={() => void save('geojson')}>
        Save as GeoJSON
      </button>{' '}
      <button type="button" onClick={() => void save('csv')}>
        Save as CSV
      </button>
    </p>
  )
}

function Cells({ period: { cells, clusters, fromMs, untilMs, deviation, recency } }: { period: Period }) {
  const name = `Cells of ${days(fromMs, untilMs)}`
  const sd = deviation.toFixed(1)
  const age = recency === 1 ? '' : `; fades in ${plural(Math.ceil(recency * 14), 'day')}`
  return (
    <>
      <h2>
        {name}
        {age}
      </h2>
      {cells.length === 0 && <p class="quiet">No cell is shown.</p>}
      {cells.length > 0 && (
        <Table name={name} head={['Cell (H3)', 'people', 'middle', 'cluster', 'people in the cluster']}>
          {cells.slice(0, CELLS_MAX).map(({ cell, lat, lng, cluster, ...own }) => (
            <tr key={cell}>
              <th scope="row">
                <code>{cell}</code>
              </th>
              <td>
                {count(own.count)} ±{sd}
              </td>
              <td>
                {lat.toFixed(4)}, {lng.toFixed(4)}
              </td>
              <td>{cluster + 1}</td>
              <td>{count(clusters[cluster]!.count)}</td>
            </tr>
          ))}
        </Table>
      )}
      {cells.length > CELLS_MAX && <p class="quiet">and {count(cells.length - CELLS_MAX)} more, in the files</p>}
    </>
  )
}

/** `2026-11-20 to 2026-11-26`: the last day is part of it. */
function days(fromMs: number, untilMs: number): string {
  const [first, last] = [day(fromMs), day(untilMs - 1)]
  return first === last ? `${first} UTC` : `${first} to ${last} UTC`
}
