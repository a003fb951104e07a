/** The diary: the fixes that this device kept, the state of each, and the fixes that redaction left out. */

import '../styles/diary.css'
import type { DiaryEntry, DiaryState, RefusalReason, Tracer } from '@geotrace/client'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { useMemo, useState } from 'preact/hooks'
import { Scrollable } from '../scrollable.tsx'
import { diary, refused } from '../session/state.ts'
import { count, day, place, REASONS, time } from '../words.ts'
import { Status } from './status.tsx'

const BLOCK_MS = 5 * 60_000
const ROWS_SHOWN = 50

export const STATES: Readonly<Record<DiaryState, { word: string; why: string }>> = {
  open: { word: 'open', why: 'its five minutes are not over' },
  waiting: { word: 'waiting', why: 'hashed with the next sync' },
  held: { word: 'held back', why: 'until it is known where your home is' },
  hashed: { word: 'hashed', why: 'deposited with the next sync' },
  deposited: { word: 'deposited', why: 'the central peer has its hashes' },
  lost: { word: 'not matched', why: 'its salts were gone before the sync' },
}

export function DiaryView({ tracer }: { tracer: Tracer }) {
  const entries = diary.value
  const left = refused.value
  const days = useMemo(() => byDay(entries), [entries])
  return (
    <div class="page">
      <h1>Diary</h1>
      <Status tracer={tracer} />
      <p class="lead">
        {entries.length === 0
          ? 'Nothing yet. Every five minutes the most accurate position is kept here, and only here.'
          : `${count(entries.length, 'fix', 'fixes')} on ${count(days.length, 'day')}, on this device only.`}
      </p>
      <Redacted reasons={left.map(({ reason }) => reason)} />
      {days.map(([start, fixes]) => (
        <Day key={start} start={start} fixes={fixes} />
      ))}
    </div>
  )
}

function Redacted({ reasons }: { reasons: readonly RefusalReason[] }) {
  if (reasons.length === 0) return null
  const counts = new Map<RefusalReason, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return (
    <section class="card quiet" aria-labelledby="redacted">
      <h2 id="redacted">Left out since the app was opened</h2>
      <ul class="chips">
        {[...counts].map(([reason, n]) => (
          <li key={reason} class={reason.startsWith('redacted') ? 'chip redacted' : 'chip'}>
            <strong>{n}</strong> {REASONS[reason]}
          </li>
        ))}
      </ul>
      <p class="small">
        Nothing of these was kept or derived; where nights and days are spent is remembered as hexagons of 76 m.
      </p>
    </section>
  )
}

function Day({ start, fixes }: { start: number; fixes: readonly DiaryEntry[] }) {
  const [all, setAll] = useState(false)
  const newest = [...fixes].reverse()
  const shown = all ? newest : newest.slice(0, ROWS_SHOWN)
  return (
    <section class="card" aria-labelledby={`day-${start}`}>
      <h2 id={`day-${start}`}>{day(start)}</h2>
      <Strip start={start} fixes={fixes} />
      <Scrollable label={`Fixes of ${day(start)}`}>
        <table class="diary-table">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Place</th>
              <th scope="col" class="number accuracy">
                Accuracy
              </th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((fix) => (
              <tr key={fix.at}>
                <td>{time(fix.at)}</td>
                <td>
                  <a class="mono" href={`#/map?at=${fix.lat},${fix.lng}`}>
                    {place(fix)}
                  </a>
                </td>
                <td class="number accuracy">{fix.accuracyM === undefined ? '?' : `${Math.round(fix.accuracyM)} m`}</td>
                <td>
                  <span class={`state state-${fix.state}`} title={STATES[fix.state].why}>
                    {STATES[fix.state].word}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
      {shown.length < fixes.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {fixes.length}
        </button>
      )}
    </section>
  )
}

/** A day at a glance: one tick for every five minutes. */
function Strip({ start, fixes }: { start: number; fixes: readonly DiaryEntry[] }) {
  const states = new Map(fixes.map((fix) => [Math.floor((fix.at - start) / BLOCK_MS), fix.state]))
  return (
    <svg
      class="strip"
      viewBox="0 0 288 26"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${count(fixes.length, 'fix', 'fixes')} of 288 possible`}
    >
      <rect class="strip-ground" width="288" height="18" rx="2" />
      {[...states].map(([block, state]) => (
        <rect key={block} class={`tick tick-${state}`} x={block} y="0" width="1.15" height="18" />
      ))}
      {[0, 6, 12, 18].map((hour) => (
        <rect key={hour} class="strip-hour" x={hour * 12} y="20" width="0.6" height="6" />
      ))}
    </svg>
  )
}

function byDay(entries: readonly DiaryEntry[]): [start: number, fixes: DiaryEntry[]][] {
  const days = new Map<number, DiaryEntry[]>()
  for (const entry of entries) {
    const start = new Date(entry.at).setHours(0, 0, 0, 0)
    if (entry.at - start < DAY_MS + BLOCK_MS * 12) days.set(start, [...(days.get(start) ?? []), entry])
  }
  return [...days].sort(([a], [b]) => b - a)
}
