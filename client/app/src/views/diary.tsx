/** The diary: fourteen days, and one of them as stays, ways and gaps. Each fix, stay and day can be deleted. */

import '../styles/diary.css'
import type { Tracer } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Calendar, toDayName } from '../day/calendar.tsx'
import { ConfirmDelete, Item } from '../day/item.tsx'
import { Strip } from '../day/strip.tsx'
import { nextMidnight, type TimelineItem, toMidnights, toTimeline } from '../day/timeline.ts'
import { useNow } from '../now.ts'
import { useQuery } from '../query.ts'
import { refreshAbsences, refreshDiary, refreshExposures, refreshNames } from '../session/refresh.ts'
import { absences, diary, exposures, placeNames } from '../session/state.ts'
import { format, later } from '../text/text.ts'
import { Status } from './status.tsx'

const DAYS = 14

export default function DiaryView({ tracer }: { tracer: Tracer }) {
  const entries = diary.value
  const gaps = absences.value
  const minute = Math.floor(useNow() / MINUTE_MS)
  const wanted = useQuery().get('day')
  const { diary: text } = later()
  const [deleted, setDeleted] = useState('')
  useEffect(() => void refreshNames(tracer), [])
  useEffect(() => void refreshAbsences(tracer), [minute, entries])

  const midnights = toMidnights(minute * MINUTE_MS, DAYS)
  const shown = midnights.find((midnight) => toDayName(midnight) === wanted) ?? midnights.at(-1)!
  const end = nextMidnight(shown)
  const items = useMemo(() => {
    const today = entries.filter(({ at }) => at >= shown && at < end)
    const newest = today.at(-1)?.at ?? 0
    // The minute that runs belongs to the day, else a cause of just now would not be shown.
    const until = Math.min(end, Math.max((minute + 1) * MINUTE_MS, newest + 1))
    const began = Math.min(entries[0]?.at ?? until, gaps[0]?.from ?? until)
    return toTimeline({ from: shown, until }, today, gaps, began)
  }, [entries, gaps, shown, minute])

  async function erase(from: number, until: number) {
    const n = await tracer.deleteFixes({ from, until })
    await Promise.all([refreshDiary(tracer), refreshAbsences(tracer), refreshExposures(tracer)])
    setDeleted(text.deleted(n))
  }

  return (
    <div class="page">
      <h1>{text.title}</h1>
      <Status tracer={tracer} />
      <Calendar midnights={midnights} entries={entries} exposures={exposures.value} shown={shown} />
      <Day
        key={shown}
        start={shown}
        items={items}
        onDelete={(from, until) => void erase(from, until)}
        onName={async (stay, name) => {
          await tracer.placeNames.set(stay, name)
          await refreshNames(tracer)
        }}
      />
      <p role="status">{deleted}</p>
    </div>
  )
}

interface DayProps extends Pick<Parameters<typeof Item>[0], 'onDelete' | 'onName'> {
  start: number
  items: readonly TimelineItem[]
}

function Day({ start, items, onDelete, onName }: DayProps) {
  const { diary: text } = later()
  const [asked, setAsked] = useState(false)
  const end = nextMidnight(start)
  const fixes = items.reduce((sum, item) => sum + (item.kind === 'gap' ? 0 : item.fixes.length), 0)
  const stays = items.filter(({ kind }) => kind === 'stay').length
  return (
    <section class="card" aria-labelledby="day">
      <h2 id="day">{format().day(start)}</h2>
      <p class="small">{fixes === 0 ? text.nothing : text.summary(stays, fixes)}</p>
      <Strip start={start} end={end} items={items} />
      <ol class="moments">
        {[...items].reverse().map((item) => (
          <li key={item.from}>
            <Item item={item} names={placeNames.value} onDelete={onDelete} onName={onName} />
          </li>
        ))}
      </ol>
      {asked ? (
        <ConfirmDelete
          what="day"
          onYes={() => {
            setAsked(false)
            onDelete(start, end)
          }}
          onNo={() => setAsked(false)}
        />
      ) : (
        <div class="row buttons">
          <a class="button" href="#/map?pick=stay">
            {text.addByHand}
          </a>
          <button type="button" disabled={fixes === 0} onClick={() => setAsked(true)}>
            {text.deleteDay}
          </button>
        </div>
      )}
    </section>
  )
}
