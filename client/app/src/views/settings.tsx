/** Recording, home, zones, consents, storage, and erasing everything. */
import type { ConsentKind, HomeStatus, Tracer, Zone } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { bytesToHex, manifestToId } from '@geotrace/core-wasm/wire'
import { useEffect, useState } from 'preact/hooks'
import { readQuery } from '../query.ts'
import { restart, startRecording, stopRecording } from '../session/location.ts'
import { askToNotify, notifying } from '../session/notify.ts'
import { markChanged, refreshConsents, refreshDiary, refreshExposures } from '../session/refresh.ts'
import { absences, consents, placeNames, position, recording, sent } from '../session/state.ts'
import { count, errorToWords, place } from '../words.ts'

const RECORDING = {
  on: 'Recording. The browser gives positions while this app is open and on screen.',
  asking: 'Waiting for the first position …',
  off: 'Paused. Nothing is recorded.',
  denied: 'The browser does not allow it. Give this page the permission for your location.',
  unavailable: 'This device gives no position at the moment. The app keeps trying.',
} as const
const CONSENTS: readonly [ConsentKind, string][] = [
  ['record', 'Keep a diary on this device'],
  ['deposit', 'Deposit hashes with the central peer'],
  ['report', 'Report with a code (asked each time)'],
]
const RADII_M = [100, 200, 500]

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export function SettingsView({ tracer, manifest }: Props) {
  return (
    <div class="page">
      <h1>Settings</h1>
      <Recording tracer={tracer} />
      <Home tracer={tracer} />
      <Zones tracer={tracer} />
      <ConsentList tracer={tracer} />
      <Help />
      <Notifications />
      <Storage />
      <About manifest={manifest} />
      <Erase tracer={tracer} />
    </div>
  )
}

function Recording({ tracer }: { tracer: Tracer }) {
  const state = recording.value
  const here = position.value
  const { record } = consents.value
  async function toggle() {
    if (state === 'off') {
      await tracer.resume()
      startRecording(tracer)
    } else if (state === 'denied') {
      restart(tracer)
    } else {
      stopRecording()
      await tracer.pause()
    }
    await markChanged(tracer)
  }
  return (
    <section class="card" aria-labelledby="recording">
      <div class="row spread">
        <h2 id="recording">Recording</h2>
        <button type="button" onClick={toggle} disabled={!record} aria-pressed={state !== 'off'}>
          {state === 'off' ? 'Resume' : state === 'denied' ? 'Try again' : 'Pause'}
        </button>
      </div>
      <p role="status">{record ? RECORDING[state] : 'You have not agreed to a diary yet.'}</p>
      {here !== undefined && (
        <p class="small">
          Last position <span class="mono">{place(here)}</span>, accurate to {Math.round(here.accuracyM ?? 0)} m. Kept
          are those of at most 10 m, one for every five minutes.
        </p>
      )}
    </section>
  )
}

function Home({ tracer }: { tracer: Tracer }) {
  const here = position.value
  const [home, setHome] = useState<HomeStatus>(tracer.home.status())
  const changed = () => {
    setHome(tracer.home.status())
    void markChanged(tracer)
  }
  async function mark() {
    if (here !== undefined) await tracer.home.mark(here)
    changed()
  }
  return (
    <section class="card" aria-labelledby="home">
      <h2 id="home">Home</h2>
      <p>
        {home.known
          ? `Known${home.nights > 0 ? `, learnt from ${count(home.nights, 'night')}` : ''}${home.marked.length > 0 ? `, ${count(home.marked.length, 'place')} marked by you` : ''}. Nothing within 300 m of it is ever deposited.`
          : 'Not known yet. Hashes stay on this device until a night and a whole day are over, or until you mark your home.'}
      </p>
      <div class="row buttons">
        <button type="button" onClick={mark} disabled={here === undefined}>
          I am at home now
        </button>
        <a class="button" href="#/map?pick=home">
          Mark it on the map
        </a>
        {home.marked.length > 0 && (
          <button type="button" onClick={() => tracer.home.unmark().then(changed)}>
            Forget marked homes
          </button>
        )}
      </div>
      <p class="small">The hidden zone is displaced by a secret of this device, so that its centre is not your home.</p>
    </section>
  )
}

function Zones({ tracer }: { tracer: Tracer }) {
  const here = position.value
  const [zones, setZones] = useState<Zone[]>(tracer.zones.list())
  const [radiusM, setRadius] = useState(RADII_M[1]!)
  const changed = () => {
    setZones(tracer.zones.list())
    void markChanged(tracer)
  }
  async function add() {
    if (here !== undefined) await tracer.zones.add({ lat: here.lat, lng: here.lng, radiusM })
    changed()
  }
  return (
    <section class="card" aria-labelledby="zones">
      <h2 id="zones">Zones of yours</h2>
      <p>Places that stay out of everything: a doctor, a church, a friend.</p>
      <ul class="list">
        {zones.map(({ id, shape }) => (
          <li key={id} class="row spread">
            <span>
              {'corners' in shape ? (
                `${shape.corners.length} corners`
              ) : (
                <>
                  {shape.radiusM} m around{' '}
                  <a class="mono" href={`#/map?at=${shape.lat},${shape.lng}`}>
                    {place(shape)}
                  </a>
                </>
              )}
            </span>
            <button type="button" onClick={() => tracer.zones.remove(id).then(changed)}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      <div class="row buttons">
        <label class="inline" for="radius">
          Radius
        </label>
        <select id="radius" value={radiusM} onChange={(event) => setRadius(Number(event.currentTarget.value))}>
          {RADII_M.map((metres) => (
            <option key={metres} value={metres}>
              {metres} m
            </option>
          ))}
        </select>
        <button type="button" onClick={add} disabled={here === undefined}>
          Hide where I am
        </button>
        <a class="button" href="#/map?pick=zone">
          Choose on the map
        </a>
      </div>
    </section>
  )
}

function ConsentList({ tracer }: { tracer: Tracer }) {
  const given = consents.value
  async function change(kind: ConsentKind, on: boolean) {
    await (on ? tracer.consent.give(kind) : tracer.consent.withdraw(kind))
    if (kind === 'record' && !on) stopRecording()
    if (kind === 'record' && on) startRecording(tracer)
    await refreshConsents(tracer)
  }
  return (
    <section class="card" aria-labelledby="consents">
      <h2 id="consents">What you agreed to</h2>
      {CONSENTS.map(([kind, text]) => (
        <label key={kind} class="check">
          <input
            type="checkbox"
            checked={given[kind]}
            onChange={(event) => change(kind, event.currentTarget.checked)}
          />{' '}
          {text}
        </label>
      ))}
    </section>
  )
}

/** Steps that the status names. `#/settings?help=clock` opens one of them. */
function Help() {
  const wanted = readQuery().get('help')
  return (
    <section class="card" aria-labelledby="help">
      <h2 id="help">When something is in the way</h2>
      <details open={wanted === 'accuracy'}>
        <summary>Positions are too inaccurate</summary>
        <p>
          Only positions of at most 10 m are kept, because others cannot be compared. Outside, or near a window, they
          get better. On a phone, switch on the precise location for this browser.
        </p>
      </details>
      <details open={wanted === 'clock'}>
        <summary>The clock of this device is wrong</summary>
        <p>
          Switch on the automatic date and time in the settings of the device. Until then the app corrects for it by the
          times of the federation’s peers.
        </p>
      </details>
      <details open={wanted === 'background'}>
        <summary>Nothing is recorded while the app is closed</summary>
        <p>A browser gives positions to a page only while the page is open and on screen. Keep this page open.</p>
      </details>
    </section>
  )
}

const NOTIFYING: Readonly<Record<typeof notifying.value, string>> = {
  granted: 'On. A notification says that there is news, and names no place and no time.',
  denied: 'The browser does not allow notifications of this page. You can change this in its settings.',
  default: 'Off. A notification would say that there is news, and name no place and no time.',
  none: 'This browser has no notifications.',
}

function Notifications() {
  const state = notifying.value
  return (
    <section class="card" aria-labelledby="notifications">
      <div class="row spread">
        <h2 id="notifications">Notifications</h2>
        {state === 'default' && (
          <button type="button" onClick={() => void askToNotify()}>
            Notify me
          </button>
        )}
      </div>
      <p role="status">{NOTIFYING[state]}</p>
      <p class="small">
        When the app is closed it records nothing, syncs nothing and notifies of nothing. It catches up when you open
        it.
      </p>
    </section>
  )
}

function Storage() {
  const [state, setState] = useState<{ kept: boolean; usage: number } | undefined>(undefined)
  const look = async () => {
    if (!('storage' in navigator)) return
    const [kept, { usage = 0 }] = await Promise.all([navigator.storage.persisted(), navigator.storage.estimate()])
    setState({ kept, usage })
  }
  useEffect(() => void look(), [])
  if (state === undefined) return null
  return (
    <section class="card" aria-labelledby="storage">
      <h2 id="storage">Storage</h2>
      <p>
        {(state.usage / 1e6).toFixed(1)} MB, sealed under a key of this browser.{' '}
        {state.kept
          ? 'The browser keeps it until you delete it.'
          : 'The browser may delete it when the device runs out of room.'}
      </p>
      {!state.kept && (
        <button type="button" onClick={() => navigator.storage.persist().then(look)}>
          Ask the browser to keep it
        </button>
      )}
    </section>
  )
}

function About({ manifest }: { manifest: Manifest }) {
  const { parameters, members, operators } = manifest
  return (
    <section class="card quiet" aria-labelledby="about">
      <h2 id="about">Federation</h2>
      <p>
        {manifest.name}: {count(members.length, 'salt node')} of {count(operators.length, 'operator')},{' '}
        {parameters.shards} shards, deposits kept for {parameters.retentionDays} days. Profile <em>seed</em>: fixes of
        at most 10 m, slower than 30 m/s.
      </p>
      <p class="small mono breakable">{bytesToHex(manifestToId(manifest))}</p>
    </section>
  )
}

function Erase({ tracer }: { tracer: Tracer }) {
  const [sure, setSure] = useState(false)
  const [outcome, setOutcome] = useState('')
  async function erase() {
    setSure(false)
    stopRecording()
    try {
      await tracer.eraseAll()
      setOutcome('Erased, here and at the central peer.')
    } catch (error) {
      setOutcome(`Erased here. The central peer follows: ${errorToWords(error)}`)
    }
    position.value = undefined
    absences.value = []
    placeNames.value = []
    sent.value = []
    await Promise.all([refreshDiary(tracer), refreshExposures(tracer), refreshConsents(tracer)])
  }
  return (
    <section class="card danger" aria-labelledby="erase">
      <h2 id="erase">Erase everything</h2>
      <p>The diary, all hashes and marks, here at once and at the central peer as soon as it can be reached.</p>
      {sure ? (
        <div class="row buttons">
          <button type="button" class="danger" onClick={erase}>
            Yes, erase everything
          </button>
          <button type="button" onClick={() => setSure(false)}>
            No
          </button>
        </div>
      ) : (
        <button type="button" onClick={() => setSure(true)}>
          Erase …
        </button>
      )}
      <p role="status">{outcome}</p>
    </section>
  )
}
