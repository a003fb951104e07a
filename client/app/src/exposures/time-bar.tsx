/** Both presences on one time axis: the person's own, and the span in which the other one was there at some time. */
import type { Exposure } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { format, later } from '../text/text.ts'

const MARGIN_MS = 5 * MINUTE_MS

export function TimeBar({ exposure: { from, to, other } }: { exposure: Exposure }) {
  const { exposures: text } = later()
  const { time } = format()
  const first = Math.min(from, other.from) - MARGIN_MS
  const last = Math.max(to, other.to) + MARGIN_MS
  const toPercent = (at: number) => (100 * (at - first)) / (last - first)
  const bar = (span: { from: number; to: number }) => ({
    left: `${toPercent(span.from)}%`,
    width: `${toPercent(span.to) - toPercent(span.from)}%`,
  })
  return (
    <div class="presences">
      <p>
        <span>
          {text.you} <small>{`${time(from)} – ${time(to)}`}</small>
        </span>
        <span class="presence">
          <span class="presence-own" style={bar({ from, to })} />
        </span>
      </p>
      <p>
        <span>
          {text.they} <small>{`${time(other.from)} – ${time(other.to)}`}</small>
        </span>
        <span class="presence">
          <span class="presence-other" style={bar(other)} />
        </span>
      </p>
    </div>
  )
}
