/** The first quarter of an hour after the start: location, home, and what a browser cannot do. In the demo, hours to take over. */
import type { Tracer } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { restart } from '../session/location.ts'
import { markChanged } from '../session/refresh.ts'
import { changes, permission, position, recording } from '../session/state.ts'
import { later, texts } from '../text/text.ts'
import { Town } from './town.tsx'

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export default function FirstSteps({ tracer, manifest }: Props) {
  const { steps } = later()
  return (
    <div class="page">
      <h1>{steps.title}</h1>
      <ol class="cards first-steps">
        <li>
          <Location tracer={tracer} />
        </li>
        <li>
          <Home tracer={tracer} />
        </li>
        <li>
          <Open />
        </li>
      </ol>
      {manifest.demo !== undefined && <Town tracer={tracer} />}
      <p class="row buttons">
        <a class="button" href="#/map">
          {steps.toMap}
        </a>
      </p>
    </div>
  )
}

function Location({ tracer }: { tracer: Tracer }) {
  const isAllowed = permission.value === 'granted' || position.value !== undefined
  const { steps } = later()
  const { shell } = texts()
  const isDenied = permission.value === 'denied' || recording.value === 'denied'
  return (
    <section class="card" aria-labelledby="step-location" data-done={isAllowed}>
      <h2 id="step-location">{steps.location}</h2>
      <p>{isAllowed ? steps.allowed : isDenied ? steps.denied : steps.notAsked}</p>
      {!isAllowed && (
        <button type="button" class="primary" onClick={() => restart(tracer)}>
          {isDenied ? shell.tryAgain : steps.allow}
        </button>
      )}
    </section>
  )
}

function Home({ tracer }: { tracer: Tracer }) {
  // The status comes from the tracer, and this signal counts its changes.
  void changes.value
  const { known } = tracer.home.status()
  const { steps, home } = later()
  const here = position.value
  async function mark() {
    if (here === undefined) return
    await tracer.home.mark(here)
    await markChanged(tracer)
  }
  return (
    <section class="card" aria-labelledby="step-home" data-done={known}>
      <h2 id="step-home">{steps.home}</h2>
      <p>{known ? steps.homeKnown : steps.homeUnknown}</p>
      {!known && (
        <div class="row buttons">
          <button type="button" disabled={here === undefined} onClick={mark}>
            {home.here}
          </button>
          <a class="button" href="#/map?pick=home">
            {home.onMap}
          </a>
        </div>
      )}
    </section>
  )
}

function Open() {
  const { steps } = later()
  return (
    <section class="card" aria-labelledby="step-open">
      <h2 id="step-open">{steps.open}</h2>
      <p>{steps.openWhy}</p>
    </section>
  )
}
