/** One part of a day: a stay with its name, a way, or a gap with its cause. Its fixes can be seen and deleted. */
import type { DiaryEntry, DiaryState, NamedPlace } from '@geotrace/client'
import { toPlaceName } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { coordinates } from '../coordinates.ts'
import { Scrollable } from '../scrollable.tsx'
import { format, later, words } from '../text/text.ts'
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
  const { title, why } = later().diary.gaps[gap.cause]
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
  const { time, shortSpan } = format()
  return (
    <p class="moment-times">
      {time(from)} – {time(until)}
      <span class="small"> {shortSpan(until - from)}</span>
    </p>
  )
}

function Presence({ move, names, onName, onDelete }: Omit<ItemProps, 'item'> & { move: Stay | Way }) {
  const [open, setOpen] = useState<'no' | 'name' | 'fixes' | 'delete'>('no')
  const { diary } = later()
  const name = move.kind === 'stay' ? toPlaceName(names, move) : undefined
  const title = move.kind === 'way' ? diary.way : (name ?? diary.noName)
  const toggle = (next: typeof open) => setOpen(open === next ? 'no' : next)
  const at = move.kind === 'stay' ? move : move.fixes[0]!
  return (
    <div class={`moment moment-${move.kind}`}>
      <Times from={move.from} until={move.until} />
      <div>
        <strong data-named={name !== undefined} translate={name === undefined}>
          {title}
        </strong>
        <States fixes={move.fixes} />
        <div class="moment-tools">
          <a href={`#/map?at=${at.lat},${at.lng}`}>{diary.map}</a>
          {move.kind === 'stay' && (
            <button type="button" class="link" aria-expanded={open === 'name'} onClick={() => toggle('name')}>
              {name === undefined ? diary.name : diary.rename}
            </button>
          )}
          <button type="button" class="link" aria-expanded={open === 'fixes'} onClick={() => toggle('fixes')}>
            {diary.positions(move.fixes.length)}
          </button>
          <button type="button" class="link" aria-expanded={open === 'delete'} onClick={() => toggle('delete')}>
            {diary.delete}
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
          <ConfirmDelete what={move.kind} onYes={() => onDelete(move.from, move.until)} onNo={() => setOpen('no')} />
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
        <span key={state} class={`state state-${state}`} title={words().fixStates[state].why}>
          {counts.size > 1 && <strong>{format().number(n)}</strong>} <span>{words().fixStates[state].word}</span>
        </span>
      ))}
    </p>
  )
}

function NameForm({ name, onName }: { name: string; onName: (name: string) => Promise<void> }) {
  const [text, setText] = useState(name)
  const { diary } = later()
  return (
    <form
      class="row name-form"
      onSubmit={(event) => {
        event.preventDefault()
        void onName(text)
      }}
    >
      <input
        aria-label={diary.nameOf}
        value={text}
        maxLength={60}
        placeholder={diary.nameExample}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">{diary.save}</button>
    </form>
  )
}

interface ConfirmProps {
  what: 'stay' | 'way' | 'day'
  onYes: () => void
  onNo: () => void
}

export function ConfirmDelete({ what, onYes, onNo }: ConfirmProps) {
  const { ask, askWhy, keep } = later().diary
  return (
    <fieldset class="confirm" aria-label={ask[what].title}>
      <p class="small">{askWhy}</p>
      <div class="row">
        <button type="button" class="danger" onClick={onYes}>
          {ask[what].yes}
        </button>
        <button type="button" onClick={onNo}>
          {keep}
        </button>
      </div>
    </fieldset>
  )
}

function Fixes({ fixes, onDelete }: { fixes: readonly DiaryEntry[]; onDelete: ItemProps['onDelete'] }) {
  const { diary } = later()
  const { time, metres } = format()
  return (
    <Scrollable label={diary.table}>
      <table class="diary-table">
        <thead>
          <tr>
            <th scope="col">{diary.time}</th>
            <th scope="col">{diary.place}</th>
            <th scope="col" class="number accuracy">
              {diary.accuracy}
            </th>
            <th scope="col">{diary.state}</th>
            <th scope="col">
              <span class="hidden">{diary.delete}</span>
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
                  <a class="mono" translate={false} href={`#/map?at=${fix.lat},${fix.lng}`}>
                    {coordinates(fix)}
                  </a>
                </td>
                <td class="number accuracy">{fix.accuracyM === undefined ? '?' : metres(fix.accuracyM)}</td>
                <td title={words().fixStates[fix.state].why}>{words().fixStates[fix.state].word}</td>
                <td>
                  <button
                    type="button"
                    class="plain"
                    aria-label={diary.deletePosition(time(fix.at))}
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
