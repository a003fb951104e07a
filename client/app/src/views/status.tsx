/** The honest status of the device, on top of every main view: its state, the reason, and the one step that helps. */
import '../styles/status.css'
import type { Protection, ProtectionAction, Tracer } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { Icon, type IconName } from '../icon.tsx'
import { restart, startRecording } from '../session/location.ts'
import { markChanged } from '../session/refresh.ts'
import { online, protection, syncing } from '../session/state.ts'
import { syncNow } from '../session/sync.ts'
import { format, texts, words } from '../text/text.ts'

const ICONS: Readonly<Record<Protection['state'], IconName>> = {
  'at-risk': 'bell',
  'not-protected': 'warning',
  partly: 'warning',
  protected: 'privacy',
}
/** Steps that lead to another view. */
const LINKS: Partial<Record<ProtectionAction, string>> = {
  'see-exposures': '#/exposures',
  agree: '#/settings',
  'mark-home': '#/map?pick=home',
  'set-clock': '#/settings?help=clock',
  'go-outside': '#/settings?help=accuracy',
  enrol: '#/settings?help=tokens',
}

export function Status({ tracer, quiet = false }: { tracer: Tracer; quiet?: boolean }) {
  const status = protection.value
  const [open, setOpen] = useState(false)
  const { status: text, compared: comparedText } = texts()
  if (status === undefined) {
    return (
      <section class="status status-unknown" aria-label={text.title}>
        <p>{text.unknown}</p>
      </section>
    )
  }
  const [first, ...more] = status.reasons.map((reason) => words().reasons[reason](status.situation))
  const compared = status.comparedMs === 0 ? comparedText.none : comparedText.some(format().span(status.comparedMs))
  return (
    <section class={`status status-${status.state}`} aria-label={text.title} data-state={status.state}>
      <Icon name={ICONS[status.state]} />
      <div class="grow">
        <strong>{words().states[status.state]}</strong>
        {first !== undefined && <p class="small">{first}</p>}
        {!quiet && status.reasons[0] !== 'nothing-compared' && <p class="small">{compared}</p>}
        {!online.value && <p class="small">{text.offline}</p>}
        {open && (
          <ul class="small">
            {more.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        )}
        {more.length > 0 && (
          <button type="button" class="plain small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? text.less : text.more(more.length)}
          </button>
        )}
      </div>
      {status.action !== undefined && <Step action={status.action} tracer={tracer} />}
    </section>
  )
}

function Step({ action, tracer }: { action: ProtectionAction; tracer: Tracer }) {
  const link = LINKS[action]
  // This view is the step already.
  if (link !== undefined && location.hash.startsWith(link)) return null
  if (link !== undefined) {
    return (
      <a class="button" href={link}>
        {words().actions[action]}
      </a>
    )
  }
  async function take() {
    if (action === 'sync-now') await syncNow()
    else if (action === 'allow-location') restart(tracer)
    else {
      await tracer.resume()
      startRecording(tracer)
    }
    await markChanged(tracer)
  }
  return (
    <button
      type="button"
      class="primary"
      disabled={action === 'sync-now' && (syncing.value.running || !online.value)}
      onClick={take}
    >
      {words().actions[action]}
    </button>
  )
}
