/** The last fourteen days: recorded hours and exposures of each, and the day that is shown. */
import type { DiaryEntry, Exposure } from '@geotrace/client'
import { count, day } from '../words.ts'
import { BLOCK_MS, nextMidnight } from './timeline.ts'

const DAY_BLOCKS = 288

interface CalendarProps {
  midnights: readonly number[]
  entries: readonly DiaryEntry[]
  exposures: readonly Exposure[]
  shown: number
}

export function Calendar({ midnights, entries, exposures, shown }: CalendarProps) {
  const fixes = countByDay(midnights, entries, ({ at }) => at)
  const met = countByDay(midnights, exposures, ({ from }) => from)
  return (
    <nav aria-label="Days">
      <ol class="calendar">
        {midnights.map((midnight, i) => {
          const hours = ((fixes[i]! * BLOCK_MS) / 3_600_000).toFixed(1)
          const text = `${day(midnight)}: ${hours} hours recorded${met[i]! > 0 ? `, ${count(met[i]!, 'exposure')}` : ''}`
          return (
            <li key={midnight}>
              <a
                href={`#/diary?day=${toDayName(midnight)}`}
                aria-current={midnight === shown ? 'date' : undefined}
                title={text}
                data-met={met[i]! > 0}
              >
                <small aria-hidden="true">
                  {new Date(midnight).toLocaleDateString(undefined, { weekday: 'narrow' })}
                </small>
                <strong aria-hidden="true">{new Date(midnight).getDate()}</strong>
                <span class="hidden">{text}</span>
                <span class="calendar-bar">
                  <span style={{ width: `${(100 * fixes[i]!) / DAY_BLOCKS}%` }} />
                </span>
              </a>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

/** `2026-11-29`, the local day. */
export function toDayName(midnight: number): string {
  const date = new Date(midnight)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `items` are oldest first. */
function countByDay<T>(midnights: readonly number[], items: readonly T[], toAt: (item: T) => number): number[] {
  const ends = midnights.map(nextMidnight)
  const counts = midnights.map(() => 0)
  let i = 0
  for (const item of items) {
    const at = toAt(item)
    while (i < ends.length && at >= ends[i]!) i++
    if (i < ends.length && at >= midnights[i]!) counts[i]!++
  }
  return counts
}
