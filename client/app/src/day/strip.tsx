/** A day at a glance: one tick for every five minutes, over an axis of hours. */
import { format, later } from '../text/text.ts'
import { BLOCK_MS, type TimelineItem } from './timeline.ts'

const HOUR_BLOCKS = 12
const HOURS_MARKED = [0, 6, 12, 18, 24]

export function Strip({ start, end, items }: { start: number; end: number; items: readonly TimelineItem[] }) {
  const blocks = (end - start) / BLOCK_MS
  const toX = (at: number) => Math.floor((at - start) / BLOCK_MS)
  const fixes = items.flatMap((item) => (item.kind === 'gap' ? [] : item.fixes))
  return (
    <figure class="strip-figure">
      <svg
        class="strip"
        viewBox={`0 0 ${blocks} 18`}
        preserveAspectRatio="none"
        role="img"
        aria-label={later().diary.strip(fixes.length, blocks)}
      >
        <rect class="strip-ground" width={blocks} height="18" />
        {items.map(
          (item) =>
            item.kind === 'gap' &&
            item.cause !== 'none' &&
            item.cause !== 'before' && (
              <rect
                key={item.from}
                class={`strip-gap strip-${item.cause}`}
                x={toX(item.from)}
                width={toX(item.until) - toX(item.from)}
                height="18"
              />
            ),
        )}
        {fixes.map(({ at, state }) => (
          <rect key={at} class={`tick tick-${state}`} x={toX(at)} y="0" width="1.15" height="18" />
        ))}
      </svg>
      <div class="strip-hours" aria-hidden="true">
        {HOURS_MARKED.map((hour) => (
          <span key={hour} style={{ left: `${(100 * hour * HOUR_BLOCKS) / 288}%` }}>
            {format().number(hour)}
          </span>
        ))}
      </div>
    </figure>
  )
}
