/**
 * A day of requests as bars, answered upwards and refused downwards, a quarter of an hour each. Pure, SVG.
 */
import { wholeDay } from '../history.ts'
import type { Span } from '../node-status.ts'
import { html, type Markup } from './markup.ts'
import { grouped, plural } from './words.ts'

const WIDTH = 960
const UP = 120
const DOWN = 24
const GAP = 2

export function dayChart(history: readonly Span[], nowMs: number): Markup {
  const day = wholeDay(history, nowMs)
  const slot = WIDTH / day.length
  // One scale for both, or a few refusals would look like many.
  const perPixel = Math.max(1 / UP, ...day.map(({ answered, refused }) => Math.max(answered / UP, refused / DOWN)))
  const bars = (height: (span: Span) => number, y: (span: Span) => number): string =>
    day
      .map((span, i) => ({ span, x: i * slot + GAP / 2 }))
      .filter(({ span }) => height(span) > 0)
      .map(
        ({ span, x }) =>
          `M${x.toFixed(1)} ${y(span).toFixed(1)}h${(slot - GAP).toFixed(1)}v${height(span).toFixed(1)}h-${(slot - GAP).toFixed(1)}z`,
      )
      .join('')
  // Whatever there was is at least a line that one sees.
  const up = ({ answered }: Span): number => (answered === 0 ? 0 : Math.max(2, answered / perPixel))
  const down = ({ refused }: Span): number => (refused === 0 ? 0 : Math.max(2, refused / perPixel))
  const [total, turned] = [sum(day, 'answered'), sum(day, 'refused')]
  if (total + turned === 0) return html`<p class="quiet">None yet.</p>`
  return html`
<figure class="day">
<svg viewBox="0 0 ${WIDTH} ${UP + DOWN + 2}" role="img" aria-label="Salt requests of the last 24 hours: ${grouped(total)} answered, ${grouped(turned)} turned away" preserveAspectRatio="none">
<path class="answered" d="${bars(up, (span) => UP - up(span))}"/>
<path class="refused" d="${bars(down, () => UP + 2)}"/>
<path class="axis" d="M0 ${UP + 1}H${WIDTH}"/>
</svg>
<div class="axis-words" aria-hidden="true"><span>24 h ago</span><span>18 h</span><span>12 h</span><span>6 h</span><span>now</span></div>
<figcaption><span class="key answered">${plural(total, 'request')} answered</span> <span class="key refused">${grouped(turned)} turned away</span>
<span class="quiet">busiest quarter of an hour: ${grouped(Math.max(...day.map(({ answered }) => answered)))}</span></figcaption>
</figure>
<details id="hours"><summary>The same by the hour</summary>
<div class="scroll"><table><thead><tr><th scope="col">Hours ago</th><th scope="col">Answered</th><th scope="col">Turned away</th></tr></thead>
<tbody>${hourRows(day)}</tbody></table></div>
</details>`
}

function hourRows(day: readonly Span[]): Markup[] {
  const hours = Array.from({ length: day.length / 4 }, (_, hour) =>
    day.slice(day.length - 4 * (hour + 1), day.length - 4 * hour),
  )
  return hours.map(
    (spans, ago) =>
      html`<tr><td>${ago} to ${ago + 1}</td><td>${grouped(sum(spans, 'answered'))}</td><td>${grouped(sum(spans, 'refused'))}</td></tr>`,
  )
}

function sum(spans: readonly Span[], what: 'answered' | 'refused'): number {
  return spans.reduce((total, span) => total + span[what], 0)
}
