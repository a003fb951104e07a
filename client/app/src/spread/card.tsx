/** The card beside the map that explains where reporters have been: legend, ±, days, how it was counted, and a table. */
import '../styles/spread.css'
import type { SpreadOverview, Tracer, UncountedPeriod } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import { coordinates } from '../coordinates.ts'
import { type Camera, fit, pan, type Size } from '../map/camera.ts'
import type { SpreadPainter } from '../map/scene.ts'
import { Scrollable } from '../scrollable.tsx'
import { errorText, format, languageCode, later } from '../text/text.ts'
import { spreadPainter } from './painter.ts'
import { toneRanges } from './tones.ts'

type Period = SpreadOverview['periods'][number]
type Show = (places: readonly { lat: number; lng: number }[]) => void

interface SpreadProps {
  tracer: Tracer
  onPaint: (painter: SpreadPainter | undefined) => void
  /** The size of the map in pixels. */
  size: Size
  onCamera: (camera: Camera) => void
  onClose: () => void
}

/** The mean area of a cell in km², by resolution. */
const AREA_KM2: Readonly<Record<number, number>> = { 5: 253, 6: 36, 7: 5.2, 8: 0.74 }
const ROWS_MAX = 50
/** On a map narrower than this, the card covers the lower part (spread.css). */
const BESIDE_PX = 820
/** The card beside the map, and its share of a narrow one. */
const [CARD_PX, CARD_SHARE] = [368, 0.42]

export default function SpreadCard({ tracer, size, onPaint, onCamera, onClose }: SpreadProps) {
  const [overview, setOverview] = useState<SpreadOverview | undefined>(undefined)
  const [failed, setFailed] = useState('')
  const { spread: text } = later()
  const { number } = format()
  useEffect(() => {
    let isShown = true
    tracer.spread().then(
      (found) => isShown && setOverview(found),
      (error) => isShown && setFailed(errorText(error)),
    )
    return () => {
      isShown = false
      onPaint(undefined)
    }
  }, [])
  useEffect(() => {
    if (overview !== undefined) onPaint(spreadPainter(overview.periods, number))
  }, [overview, number])
  return (
    <aside class="spread-card card" aria-label={text.title}>
      <div class="row spread">
        <h2>{text.title}</h2>
        <button type="button" class="plain" onClick={onClose} aria-label={text.close}>
          ✕
        </button>
      </div>
      <div role="status">
        {failed !== '' && <p>{failed}</p>}
        {failed === '' && overview === undefined && <p>{text.loading}</p>}
      </div>
      {overview !== undefined && <Found overview={overview} onShow={(places) => onCamera(toCamera(places, size))} />}
    </aside>
  )
}

/** Shows all places in the part of the map that the card leaves free. */
function toCamera(places: Parameters<Show>[0], size: Size): Camera {
  const { width, height } = size
  const isBeside = width > BESIDE_PX
  const free = isBeside ? { width: width - CARD_PX, height } : { width, height: height * (1 - CARD_SHARE) }
  const aside = ((document.documentElement.dir === 'rtl' ? -1 : 1) * (width - free.width)) / 2
  return pan(fit(places, free), size, aside, (free.height - height) / 2)
}

function Found({ overview, onShow }: { overview: SpreadOverview; onShow: Show }) {
  const { isCounted, periods, missing, running, refused } = overview
  const { spread: text } = later()
  const { number } = format()
  const [newest, ...older] = periods
  return (
    <>
      {newest !== undefined && <Newest period={newest} onShow={onShow} />}
      {newest === undefined && !isCounted && missing.length === 0 && <p>{text.none}</p>}
      {newest === undefined && isCounted && missing.length === 0 && (
        <p>{running === undefined ? text.notYet : text.firstEnds(toDay(running.untilMs))}</p>
      )}
      {older.length > 0 && (
        <p class="small">{text.older(older.map(({ fromMs, untilMs }) => toDays(fromMs, untilMs)))}</p>
      )}
      {missing.map(({ fromMs, untilMs, minimum }: UncountedPeriod) => (
        <p key={fromMs} class="small">
          {text.missing(toDays(fromMs, untilMs), number(minimum))}
        </p>
      ))}
      {refused > 0 && <p class="warning">{text.refused}</p>}
    </>
  )
}

function Newest({ period, onShow }: { period: Period; onShow: Show }) {
  const { cells, threshold, deviation, fromMs, untilMs, resolution } = period
  const { spread: text } = later()
  const { number } = format()
  const people = cells.reduce((sum, { count }) => sum + count, 0)
  return (
    <>
      <p>
        <strong>{toDays(fromMs, untilMs)}:</strong>{' '}
        {cells.length === 0
          ? text.empty(number(threshold))
          : text.summary(people, cells.length, number(AREA_KM2[resolution]!))}
      </p>
      {cells.length > 0 && (
        <>
          <Legend period={period} />
          <button type="button" onClick={() => onShow(cells)}>
            {text.show}
          </button>
        </>
      )}
      <details>
        <summary>{text.how}</summary>
        <ul class="small">
          {text
            .howCounted({
              ...period,
              sd: number(Math.round(10 * deviation) / 10),
              epsilon: number(period.epsilon / 1_000),
              days: Math.round((untilMs - fromMs) / 86_400_000),
            })
            .map((line) => (
              <li key={line}>{line}</li>
            ))}
        </ul>
      </details>
      {cells.length > 0 && <Table period={period} />}
    </>
  )
}

function Legend({ period: { threshold, deviation } }: { period: Period }) {
  const { spread: text } = later()
  const { number } = format()
  const sd = number(Math.round(10 * deviation) / 10)
  return (
    <figure class="tones">
      <figcaption>{text.legend(sd)}</figcaption>
      <ol>
        {toneRanges(threshold).map(({ from, until }, i) => (
          <li key={from}>
            <span class={`tone tone-${i + 1}`} aria-hidden="true" />
            {until === undefined ? text.from(number(from)) : `${number(from)}–${number(until - 1)}`}
          </li>
        ))}
      </ol>
      <p class="small">{text.rest(number(threshold))}</p>
    </figure>
  )
}

/** The canvas says nothing to a screen reader, so the numbers stand here too. */
function Table({ period: { cells, deviation } }: { period: Period }) {
  const { spread: text } = later()
  const { number } = format()
  const sd = number(Math.round(10 * deviation) / 10)
  return (
    <details>
      <summary>{text.table}</summary>
      <Scrollable label={text.table}>
        <table class="small">
          <thead>
            <tr>
              <th scope="col">{text.place}</th>
              <th scope="col" class="number">
                {text.people}
              </th>
            </tr>
          </thead>
          <tbody>
            {cells.slice(0, ROWS_MAX).map(({ cell, count, ...place }) => (
              <tr key={cell}>
                <td class="mono" translate={false}>
                  {coordinates(place)}
                </td>
                <td class="number">
                  {number(count)} ±{sd}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
      {cells.length > ROWS_MAX && <p class="small">{text.moreRows(cells.length - ROWS_MAX)}</p>}
    </details>
  )
}

/** `20–26 November`. Periods are whole days of UTC. */
function toDays(fromMs: number, untilMs: number): string {
  return days().formatRange(fromMs, untilMs - 1)
}

function toDay(ms: number): string {
  return days().format(ms)
}

function days(): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(languageCode(), { day: 'numeric', month: 'long', timeZone: 'UTC' })
}
