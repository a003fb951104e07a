/** The first visit: the app's purpose and the consents. It replaces every view until the person agrees to recording. */
import '../styles/welcome.css'
import type { Tracer } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { startRecording } from '../session/location.ts'
import { refreshConsents } from '../session/refresh.ts'
import { consents } from '../session/state.ts'
import { syncNow } from '../session/sync.ts'
import { Rich } from '../text/rich.tsx'
import { texts } from '../text/text.ts'

interface WelcomeProps {
  tracer: Tracer
  manifest: Manifest
  children?: ComponentChildren
}

export function Welcome({ tracer, manifest, children }: WelcomeProps) {
  const { record } = consents.value
  const [deposit, setDeposit] = useState(false)
  if (record) return <>{children}</>

  async function agree(event: Event) {
    event.preventDefault()
    await tracer.consent.give('record')
    if (deposit) await tracer.consent.give('deposit')
    await refreshConsents(tracer)
    location.hash = '#/start'
    startRecording(tracer)
    if (deposit) void syncNow()
  }

  const { welcome } = texts()
  return (
    <div class="page welcome">
      <img src="/icon.svg" alt="" width="72" height="72" />
      <h1>{welcome.title}</h1>
      {/* The promise is the one that the salting of this federation can keep. PRIVACY.md says what remains. */}
      <p class="lead">
        {welcome.lead} {welcome.promises[manifest.parameters.salting]}
      </p>
      <ol class="steps">
        {welcome.steps.map((text) => (
          <li key={text}>
            <Rich text={text} parts={{ b: (inner) => <strong>{inner}</strong> }} />
          </li>
        ))}
      </ol>
      <form onSubmit={agree} class="card">
        <label class="check">
          <input type="checkbox" checked required disabled /> {welcome.record}
        </label>
        <label class="check">
          <input type="checkbox" checked={deposit} onChange={(event) => setDeposit(event.currentTarget.checked)} />{' '}
          {welcome.deposit}
        </label>
        <button type="submit" class="primary large">
          {welcome.start}
        </button>
        <p class="small">
          {welcome.revocable(manifest.name)}
          {manifest.demo !== undefined && ` ${welcome.demo}`}
        </p>
      </form>
      <p>
        <a href="#/lab">{welcome.lab}</a>
      </p>
    </div>
  )
}
