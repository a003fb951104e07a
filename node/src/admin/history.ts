/**
 * Counts of answered and refused requests for the last day, in spans of a quarter of an hour. node/README.md,
 * "Operating". The counts stay in memory. The spans are coarse, because a finer series would show when a single
 * person's phone was awake.
 */
import type { Span } from './node-status.ts'

export const SPAN_MS = 15 * 60_000
/** The spans of one day. */
export const SPANS_MAX = 96

export interface History {
  readonly spans: readonly Span[]
  /** Takes the totals since the start and counts the difference to the last call in the span of `nowMs`. */
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
      // When the clock steps back, the newest span goes on counting.
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

/** The SPANS_MAX spans up to `nowMs`, oldest first; spans without a count are zero. */
export function wholeDay(spans: readonly Span[], nowMs: number): Span[] {
  const byStart = new Map(spans.map((span) => [span.fromMs, span]))
  const last = Math.floor(nowMs / SPAN_MS) * SPAN_MS
  return Array.from({ length: SPANS_MAX }, (_, i) => {
    const fromMs = last - (SPANS_MAX - 1 - i) * SPAN_MS
    return byStart.get(fromMs) ?? { fromMs, answered: 0, refused: 0 }
  })
}
