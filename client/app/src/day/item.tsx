/** One part of a day: a stay with its name, a way, or a gap with its cause. Its fixes can be seen and deleted. */
import type { DiaryEntry, DiaryState, NamedPlace } from '@geotrace/client'
import { toPlaceName } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { Scrollable } from '../scrollable.tsx'
import { count, duration, place, time } from '../words.ts'
import { GAP_WORDS, STATES } from './gap-words.ts'
import { BLOCK_MS, type Gap, type Stay, type TimelineItem, type Way } from './timeline.ts'

interface ItemProps {
  item: TimelineItem
  names: readonly NamedPlace[]
  onName: (stay: Stay, name: string) => Promise<void>
  /** Deletes the fixes from `from` until before `until`. */
  onDelete: (from: number, until: number) => void
}

export function Item({ item, ...rest }: ItemProps) {
  return item.kind === 'gap' ? <GapRow gap={item} /> : <Presence move={item} {...rest} />
}

function GapRow({ gap }: { gap: Gap }) {
  const { title, why } = GAP_WORDS[gap.cause]
  return (
    <div class={`moment moment-gap moment-${gap.cause}`}>
      <Times from={gap.from} until={gap.until} />
      <div>
        <strong>{title}</strong> <span class="small">{why}</span>
      </div>
    </div>
  )
}

function Times({ from, until }: { from: number; until: number }) {
  return (
    <p class="moment-times">
      {time(from)} – {time(until)}
      <span class="small"> {duration(until - from)}</span>
    </p>
  )
}

function Presence({ move, names, onName, onDelete }: Omit<ItemProps, 'item'> & { move: Stay | Way }) {
  const [open, setOpen] = useState<'no' | 'name' | 'fixes' | 'delete'>('no')
  const name = move.kind === 'stay' ? toPlaceName(names, move) : undefined
  const title = move.kind === 'way' ? 'On the way' : (name ?? 'A place without a name')
  const toggle = (next: typeof open) => setOpen(open === next ? 'no' : next)
  const at = move.kind === 'stay' ? move : move.fixes[0]!
  return (
    <div class={`moment moment-${move.kind}`}>
      <Times from={move.from} until={move.until} />
      <div>
        <strong data-named={name !== undefined}>{title}</strong>
        <States fixes={move.fixes} />
        <div class="moment-tools">
          <a href={`#/map?at=${at.lat},${at.lng}`}>Map</a>
          {move.kind === 'stay' && (
            <button type="button" class="link" aria-expanded={open === 'name'} onClick={() => toggle('name')}>
              {name === undefined ? 'Name' : 'Rename'}
            </button>
          )}
          <button type="button" class="link" aria-expanded={open === 'fixes'} onClick={() => toggle('fixes')}>
            {count(move.fixes.length, 'position')}
          </button>
          <button type="button" class="link" aria-expanded={open === 'delete'} onClick={() => toggle('delete')}>
            Delete
          </button>
        </div>
        {open === 'name' && move.kind === 'stay' && (
          <NameForm
            name={name ?? ''}
            onName={async (text) => {
              await onName(move, text)
              setOpen('no')
            }}
          />
        )}
        {open === 'delete' && (
          <ConfirmDelete
            what={move.kind === 'stay' ? 'this stay' : 'this way'}
            onYes={() => onDelete(move.from, move.until)}
            onNo={() => setOpen('no')}
          />
        )}
        {open === 'fixes' && <Fixes fixes={move.fixes} onDelete={onDelete} />}
      </div>
    </div>
  )
}

/** The states of the fixes, and how many have each: `5 deposited, 1 held back`. */
function States({ fixes }: { fixes: readonly DiaryEntry[] }) {
  const counts = new Map<DiaryState, number>()
  for (const { state } of fixes) counts.set(state, (counts.get(state) ?? 0) + 1)
  return (
    <p class="moment-states">
      {[...counts].map(([state, n]) => (
        <span key={state} class={`state state-${state}`} title={STATES[state].why}>
          {counts.size > 1 && <strong>{n}</strong>} <span>{STATES[state].word}</span>
        </span>
      ))}
    </p>
  )
}

function NameForm({ name, onName }: { name: string; onName: (name: string) => Promise<void> }) {
  const [text, setText] = useState(name)
  return (
    <form
      class="row name-form"
      onSubmit={(event) => {
        event.preventDefault()
        void onName(text)
      }}
    >
      <input
        aria-label="Name of this place"
        value={text}
        maxLength={60}
        placeholder="Café, work, gym …"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">Save</button>
    </form>
  )
}

export function ConfirmDelete({ what, onYes, onNo }: { what: string; onYes: () => void; onNo: () => void }) {
  return (
    <fieldset class="confirm" aria-label={`Delete ${what}`}>
      <p class="small">
        Delete {what} here and at the central peer? This cannot be undone, and you will not be warned of this time.
      </p>
      <div class="row">
        <button type="button" class="danger" onClick={onYes}>
          Yes, delete {what}
        </button>
        <button type="button" onClick={onNo}>
          Keep
        </button>
      </div>
    </fieldset>
  )
}

function Fixes({ fixes, onDelete }: { fixes: readonly DiaryEntry[]; onDelete: ItemProps['onDelete'] }) {
  return (
    <Scrollable label="Positions">
      <table class="diary-table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Place</th>
            <th scope="col" class="number accuracy">
              Accuracy
            </th>
            <th scope="col">State</th>
            <th scope="col">
              <span class="hidden">Delete</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {fixes.map((fix) => {
            const block = Math.floor(fix.at / BLOCK_MS) * BLOCK_MS
            return (
              <tr key={fix.at}>
                <td>{time(fix.at)}</td>
                <td>
                  <a class="mono" href={`#/map?at=${fix.lat},${fix.lng}`}>
                    {place(fix)}
                  </a>
                </td>
                <td class="number accuracy">{fix.accuracyM === undefined ? '?' : `${Math.round(fix.accuracyM)} m`}</td>
                <td title={STATES[fix.state].why}>{STATES[fix.state].word}</td>
                <td>
                  <button
                    type="button"
                    class="plain"
                    aria-label={`Delete the position of ${time(fix.at)}`}
                    onClick={() => onDelete(block, block + BLOCK_MS)}
                  >
                    ✕
                  </button>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Scrollable>
  )
}
