/** Adds a place by hand: the hours that somebody spent there without a position. Salts reach back three hours only. */
import type { Tracer } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { useState } from 'preact/hooks'
import { BLOCK_MS } from '../day/timeline.ts'
import type { Spot } from '../map/spot.ts'
import { recordAll } from '../session/record-all.ts'
import { markChanged } from '../session/refresh.ts'
import { recordedText } from '../text/recorded.ts'
import { errorText, format, later } from '../text/text.ts'

/** Ten minutes before the last salts are gone, because the sync takes time. */
const REACH_MS = 3 * HOUR_MS - 2 * BLOCK_MS
const USUAL_BLOCKS = 12

export function AddStay({ spot, tracer }: { spot: Spot; tracer: Tracer }) {
  const [now] = useState(() => Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS)
  const [from, setFrom] = useState(now - USUAL_BLOCKS * BLOCK_MS)
  const [until, setUntil] = useState(now)
  const [said, setSaid] = useState('')
  const { stay } = later()
  const { time } = format()
  const starts = Array.from({ length: REACH_MS / BLOCK_MS }, (_, i) => now - (i + 1) * BLOCK_MS).reverse()

  async function add(event: Event) {
    event.preventDefault()
    const fixes = []
    // The middle of each five minutes, of unknown accuracy.
    for (let at = from; at < until; at += BLOCK_MS) fixes.push({ ...spot, at: at + BLOCK_MS / 2 })
    try {
      const recorded = await recordAll(tracer, fixes, () => undefined)
      setSaid(recordedText(recorded))
      await markChanged(tracer)
    } catch (error) {
      setSaid(errorText(error))
    }
  }

  return (
    <form onSubmit={add} class="add-stay">
      <p class="small">{stay.lead}</p>
      <div class="row">
        <label>
          {stay.from}{' '}
          <select value={from} onChange={(event) => setFrom(Number(event.currentTarget.value))}>
            {starts.map((at) => (
              <option key={at} value={at}>
                {time(at)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {stay.until}{' '}
          <select value={until} onChange={(event) => setUntil(Number(event.currentTarget.value))}>
            {starts.map((at) => (
              <option key={at} value={at + BLOCK_MS}>
                {time(at + BLOCK_MS)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary" disabled={until <= from}>
          {stay.add}
        </button>
      </div>
      <p role="status">
        {said} {said !== '' && <a href="#/diary">{stay.diary}</a>}
      </p>
    </form>
  )
}
