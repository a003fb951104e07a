/**
 * Salt requests of the last 24 hours as an SVG of bars, a quarter of an hour each: answered upwards, refused downwards.
 * A table by the hour says the same in text. Pure.
 */
import { Fragment, h, type JSX } from 'preact'
import { wholeDay } from '../history.ts'
import type { Span } from '../node-status.ts'
import { table } from './table.ts'
import { grouped, plural } from './words.ts'

/** In units of the SVG's view box. */
const WIDTH = 960
const UP = 120
const DOWN = 24
const GAP = 2
/** A single request still shows as a line of this height. */
const BAR_MIN = 2

const SPANS_PER_HOUR = 4

export function dayChart(history: readonly Span[], nowMs: number): JSX.Element {
  const day = wholeDay(history, nowMs)
  const [answered, refused] = [sum(day, 'answered'), sum(day, 'refused')]
  if (answered + refused === 0) return h('p', { class: 'quiet' }, 'None yet.')
  const busiest = Math.max(...day.map((span) => span.answered))
  return h(
    Fragment,
    null,
    h(
      'figure',
      { class: 'day' },
      bars(day, `Salt requests of the last 24 hours: ${grouped(answered)} answered, ${grouped(refused)} refused`),
      axisWords(),
      h(
        'figcaption',
        null,
        h('span', { class: 'key answered' }, `${plural(answered, 'request')} answered`),
        h('span', { class: 'key refused' }, `${grouped(refused)} refused`),
        h('span', { class: 'quiet' }, `busiest quarter of an hour: ${grouped(busiest)} answered`),
      ),
    ),
    h('details', { id: 'hours' }, h('summary', null, 'The same by the hour'), hourTable(day)),
  )
}

function bars(day: readonly Span[], label: string): JSX.Element {
  // Both directions share one scale, otherwise a few refusals would look like many.
  const perUnit = Math.max(1 / UP, ...day.map(({ answered, refused }) => Math.max(answered / UP, refused / DOWN)))
  const toHeight = (count: number): number => (count === 0 ? 0 : Math.max(BAR_MIN, count / perUnit))
  const slot = WIDTH / day.length
  const path = (count: (span: Span) => number, toTop: (height: number) => number): string =>
    day
      .map((span, i) => {
        const height = toHeight(count(span))
        const [x, y, width] = [i * slot + GAP / 2, toTop(height), slot - GAP].map((value) => value.toFixed(1))
        return height === 0 ? '' : `M${x} ${y}h${width}v${height.toFixed(1)}h-${width}z`
      })
      .join('')
  return h(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${UP + DOWN + 2}`, role: 'img', 'aria-label': label, preserveAspectRatio: 'none' },
    h('path', {
      class: 'answered',
      d: path(
        ({ answered }) => answered,
        (height) => UP - height,
      ),
    }),
    h('path', {
      class: 'refused',
      d: path(
        ({ refused }) => refused,
        () => UP + 2,
      ),
    }),
    h('path', { class: 'axis', d: `M0 ${UP + 1}H${WIDTH}` }),
  )
}

function axisWords(): JSX.Element {
  const words = ['24 h ago', '18 h', '12 h', '6 h', 'now'].map((word) => h('span', null, word))
  return h('div', { class: 'axis-words', 'aria-hidden': 'true' }, words)
}

function hourTable(day: readonly Span[]): JSX.Element {
  const rows = Array.from({ length: day.length / SPANS_PER_HOUR }, (_, ago) => {
    const end = day.length - SPANS_PER_HOUR * ago
    const hour = day.slice(end - SPANS_PER_HOUR, end)
    return [`${ago} to ${ago + 1}`, grouped(sum(hour, 'answered')), grouped(sum(hour, 'refused'))]
  })
  return table(['Hours ago', 'Answered', 'Refused'], rows)
}

function sum(spans: readonly Span[], what: 'answered' | 'refused'): number {
  return spans.reduce((total, span) => total + span[what], 0)
}
