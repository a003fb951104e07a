/** The last fourteen days: recorded hours and exposures of each, and the day that is shown. */
import type { DiaryEntry, Exposure } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { format, later } from '../text/text.ts'
import { BLOCK_MS, nextMidnight } from './timeline.ts'

const DAY_BLOCKS = 288

interface CalendarProps {
  midnights: readonly number[]
  entries: readonly DiaryEntry[]
  exposures: readonly Exposure[]
  shown: number
}

export function Calendar({ midnights, entries, exposures, shown }: CalendarProps) {
  const { diary } = later()
  const n = format()
  const fixes = countByDay(midnights, entries, ({ at }) => at)
  const met = countByDay(midnights, exposures, ({ from }) => from)
  return (
    <nav aria-label={diary.days}>
      <ol class="calendar">
        {midnights.map((midnight, i) => {
          const [day, hours] = [n.day(midnight), n.hours((fixes[i]! * BLOCK_MS) / HOUR_MS)]
          const text = met[i]! > 0 ? diary.recordedAndMet(day, hours, met[i]!) : diary.recorded(day, hours)
          return (
            <li key={midnight}>
              <a
                href={`#/diary?day=${toDayName(midnight)}`}
                aria-current={midnight === shown ? 'date' : undefined}
                title={text}
                data-met={met[i]! > 0}
              >
                <small aria-hidden="true">{n.weekday(midnight)}</small>
                <strong aria-hidden="true">{n.number(new Date(midnight).getDate())}</strong>
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
