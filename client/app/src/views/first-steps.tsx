/** The first quarter of an hour after the start: location, home, and what a browser cannot do. In the demo, hours to take over. */
import type { Tracer } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { restart } from '../session/location.ts'
import { markChanged } from '../session/refresh.ts'
import { changes, permission, position, recording } from '../session/state.ts'
import { Town } from './town.tsx'

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export function FirstSteps({ tracer, manifest }: Props) {
  return (
    <div class="page">
      <h1>Three things, then you are set</h1>
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
          Go to the map
        </a>
      </p>
    </div>
  )
}

function Location({ tracer }: { tracer: Tracer }) {
  const isAllowed = permission.value === 'granted' || position.value !== undefined
  const isDenied = permission.value === 'denied' || recording.value === 'denied'
  return (
    <section class="card" aria-labelledby="step-location" data-done={isAllowed}>
      <h2 id="step-location">1. Your location</h2>
      <p>
        {isAllowed
          ? 'The browser gives this page your location. It stays on this device.'
          : isDenied
            ? 'The browser does not give this page your location. Allow it in the browser’s settings for this page, then try again.'
            : 'The browser asks you once. Without your location nothing can be compared.'}
      </p>
      {!isAllowed && (
        <button type="button" class="primary" onClick={() => restart(tracer)}>
          {isDenied ? 'Try again' : 'Allow the location'}
        </button>
      )}
    </section>
  )
}

function Home({ tracer }: { tracer: Tracer }) {
  // The status comes from the tracer, and this signal counts its changes.
  void changes.value
  const { known } = tracer.home.status()
  const here = position.value
  async function mark() {
    if (here === undefined) return
    await tracer.home.mark(here)
    await markChanged(tracer)
  }
  return (
    <section class="card" aria-labelledby="step-home" data-done={known}>
      <h2 id="step-home">2. Where do you sleep?</h2>
      <p>
        {known
          ? 'Your home is known. Nothing within 300 m of it is ever sent.'
          : 'Nothing within 300 m of your home is ever sent. Until your home is known, everything waits on this device.'}
      </p>
      {!known && (
        <div class="row buttons">
          <button type="button" disabled={here === undefined} onClick={mark}>
            I am at home now
          </button>
          <a class="button" href="#/map?pick=home">
            Mark it on the map
          </a>
        </div>
      )}
    </section>
  )
}

function Open() {
  return (
    <section class="card" aria-labelledby="step-open">
      <h2 id="step-open">3. Keep this page open</h2>
      <p>
        A browser gives positions only while this page is open and on screen. Hours in which it is closed cannot be
        compared, and the status says so.
      </p>
    </section>
  )
}
