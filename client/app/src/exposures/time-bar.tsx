/** Both presences on one time axis: the person's own, and the span in which the other one was there at some time. */
import type { Exposure } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { time } from '../words.ts'

const MARGIN_MS = 5 * MINUTE_MS

export function TimeBar({ exposure: { from, to, other } }: { exposure: Exposure }) {
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
          You <small>{`${time(from)} – ${time(to)}`}</small>
        </span>
        <span class="presence">
          <span class="presence-own" style={bar({ from, to })} />
        </span>
      </p>
      <p>
        <span>
          They, some time in <small>{`${time(other.from)} – ${time(other.to)}`}</small>
        </span>
        <span class="presence">
          <span class="presence-other" style={bar(other)} />
        </span>
      </p>
    </div>
  )
}
