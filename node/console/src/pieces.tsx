/** Small parts that several views share. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export function Card({
  title,
  value,
  words,
  alarm,
}: {
  title: string
  value: string
  words?: string
  alarm?: boolean
}) {
  return (
    <article class={alarm ? 'card alarm' : 'card'}>
      <h2>{title}</h2>
      <p class="value">{value}</p>
      {words !== undefined && <p class="quiet">{words}</p>}
    </article>
  )
}

/** A table that scrolls inside its frame on a narrow screen. */
export function Table({
  name,
  head,
  children,
}: {
  name: string
  head: readonly string[]
  children: ComponentChildren
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard
    <section class="frame" aria-label={name} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  )
}

interface AskProps {
  label: string
  question: string
  /** Resolves when it is done; a rejection is shown. `reason` is there when the question asks for one. */
  act(reason?: string): Promise<unknown>
  /** Also asks for a reason, which may stay empty. */
  hasReason?: boolean
  danger?: boolean
  /** Called when the question appears. */
  onAsk?(): void
}

/** A button that asks before it acts. */
export function Ask({ label, question, act, danger = false, hasReason = false, onAsk }: AskProps) {
  const [reason, setReason] = useState('')
  const [isAsked, setAsked] = useState(false)
  const [said, setSaid] = useState('')
  const go = async () => {
    setSaid('')
    try {
      const why = reason.trim()
      await (why === '' ? act() : act(why))
      setAsked(false)
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'failed')
    }
  }
  const ask = () => {
    setAsked(true)
    onAsk?.()
  }
  if (!isAsked)
    return (
      <button type="button" class={danger ? 'danger' : ''} onClick={ask}>
        {label}
      </button>
    )
  return (
    <fieldset class="ask">
      <legend>{question}</legend>
      {hasReason && (
        <label>
          Reason (never a person)
          <input
            type="text"
            maxLength={200}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
      )}
      <button type="button" class={danger ? 'danger' : 'main'} onClick={() => void go()}>
        Yes, {label.toLowerCase()}
      </button>
      <button type="button" onClick={() => setAsked(false)}>
        No
      </button>
      {said !== '' && <p role="alert">{said}</p>}
    </fieldset>
  )
}
