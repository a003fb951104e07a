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

/** The promise that the salting of this federation can keep. PRIVACY.md says what remains. */
const PROMISES = {
  plain:
    'What leaves it are fingerprints of places and times. This federation uses weak salts: a party that asks for all of them within three hours can find the places.',
  threshold:
    'What leaves it are fingerprints of places and times. Volunteers who work together could read them all back within a few hours. Anybody can test a few chosen places.',
} as const

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

  return (
    <div class="page welcome">
      <img src="/icon.svg" alt="" width="72" height="72" />
      <h1>Were you near somebody who tested positive?</h1>
      <p class="lead">
        Geo Trace tells you where and when. Your positions stay on this device. {PROMISES[manifest.parameters.salting]}
      </p>
      <ol class="steps">
        <li>
          <strong>Your phone keeps a diary</strong> of places, sealed on this device. What lies near your home is left
          out.
        </li>
        <li>
          <strong>Each place and time becomes a fingerprint</strong>, made with keys of volunteers’ computers. They
          destroy these keys a few hours later.
        </li>
        <li>
          <strong>Equal fingerprints are a meeting.</strong> When somebody reports a positive test, this device learns
          which of its own fingerprints were at risk, and tells you.
        </li>
      </ol>
      <form onSubmit={agree} class="card">
        <label class="check">
          <input type="checkbox" checked required disabled /> Keep a diary on this device. It never leaves it.
        </label>
        <label class="check">
          <input type="checkbox" checked={deposit} onChange={(event) => setDeposit(event.currentTarget.checked)} /> Send
          fingerprints to the authority’s computer every hour, so that meetings can be found.
        </label>
        <button type="submit" class="primary large">
          Start
        </button>
        <p class="small">
          Both can be withdrawn in the settings, and everything erased, here and at the central peer. Federation:{' '}
          {manifest.name}.{manifest.demo !== undefined && ' A demo on this machine, with published keys.'}
        </p>
      </form>
      <p>
        <a href="#/lab">See in the lab how it works</a>
      </p>
    </div>
  )
}
