/**
 * Requests and refusals of the last day in quarters of an hour, in memory only. README "Operating".
 * Coarse on purpose: a finer series would say when one person's phone was awake.
 */
import type { Span } from './node-status.ts'

export const SPAN_MS = 15 * 60_000
/** A day. */
export const SPANS_MAX = 96

export interface History {
  readonly spans: readonly Span[]
  /** Notes the totals since the start; what came since the last call belongs to the span of `nowMs`. */
  note(totals: { answered: number; refused: number }, nowMs: number): void
}

export function history(): History {
  const spans: { fromMs: number; answered: number; refused: number }[] = []
  let before = { answered: 0, refused: 0 }
  return {
    spans,
    note(totals, nowMs) {
      const fromMs = Math.floor(nowMs / SPAN_MS) * SPAN_MS
      let span = spans.at(-1)
      // A clock that steps back goes on in the span that is there.
      if (span === undefined || fromMs > span.fromMs) {
        span = { fromMs, answered: 0, refused: 0 }
        spans.push(span)
        if (spans.length > SPANS_MAX) spans.shift()
      }
      span.answered += totals.answered - before.answered
      span.refused += totals.refused - before.refused
      before = { ...totals }
    },
  }
}

/** The whole day up to `nowMs`, with empty spans where nothing was noted. */
export function wholeDay(spans: readonly Span[], nowMs: number): Span[] {
  const byStart = new Map(spans.map((span) => [span.fromMs, span]))
  const last = Math.floor(nowMs / SPAN_MS) * SPAN_MS
  return Array.from({ length: SPANS_MAX }, (_, i) => {
    const fromMs = last - (SPANS_MAX - 1 - i) * SPAN_MS
    return byStart.get(fromMs) ?? { fromMs, answered: 0, refused: 0 }
  })
}
