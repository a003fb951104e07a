import { describe, expect, it } from 'vitest'
import { history, SPAN_MS, SPANS_MAX, wholeDay } from '../../src/admin/history.ts'

describe('the history of requests', () => {
  it('the history counts the requests since the last call in spans of a quarter of an hour, and keeps one day', () => {
    const day = history()
    const start = 1_000 * SPAN_MS
    day.note({ answered: 3, refused: 1 }, start)
    day.note({ answered: 5, refused: 1 }, start + SPAN_MS - 1)
    day.note({ answered: 6, refused: 4 }, start + SPAN_MS)
    // When the clock steps back, the newest span goes on counting.
    day.note({ answered: 7, refused: 4 }, start)
    expect(day.spans).toEqual([
      { fromMs: start, answered: 5, refused: 1 },
      { fromMs: start + SPAN_MS, answered: 2, refused: 3 },
    ])
    for (let i = 2; i < 200; i++) day.note({ answered: 7, refused: 4 }, start + i * SPAN_MS)
    expect(day.spans).toHaveLength(SPANS_MAX)
  })

  it('wholeDay fills spans without requests with zeros, up to a whole day', () => {
    const nowMs = 500 * SPAN_MS + 5
    const whole = wholeDay([{ fromMs: 499 * SPAN_MS, answered: 4, refused: 0 }], nowMs)
    expect(whole).toHaveLength(SPANS_MAX)
    expect(whole.at(-1)).toEqual({ fromMs: 500 * SPAN_MS, answered: 0, refused: 0 })
    expect(whole.at(-2)!.answered).toBe(4)
    expect(whole[0]!.fromMs).toBe((500 - SPANS_MAX + 1) * SPAN_MS)
  })
})
