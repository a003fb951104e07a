/** Recording, home, zones, consents, storage, and erasing everything. */
import { accuracyMaxM, type ConsentKind, type HomeStatus, type Tracer, type Zone } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { bytesToHex, manifestToId } from '@geotrace/core-wasm/wire'
import { useEffect, useState } from 'preact/hooks'
import { EnrolmentCard } from '../codes/enrolment-card.tsx'
import { coordinates } from '../coordinates.ts'
import { readQuery } from '../query.ts'
import { askForFewer, FEWER_PER_DAY, fewer, restart, startRecording, stopRecording } from '../session/location.ts'
import { askToNotify, notifying } from '../session/notify.ts'
import { markChanged, refreshConsents, refreshDiary, refreshExposures } from '../session/refresh.ts'
import { absences, consents, placeNames, position, recording, sent } from '../session/state.ts'
import { StreetsCard } from '../streets/card.tsx'
import { Rich } from '../text/rich.tsx'
import { chooseLanguage, errorText, format, LANGUAGES, type LanguageCode, languageCode, later } from '../text/text.ts'

const CONSENTS: readonly ConsentKind[] = ['record', 'deposit', 'report', 'spread']
const RADII_M = [100, 200, 500]

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export default function SettingsView({ tracer, manifest }: Props) {
  const limitM = accuracyMaxM(manifest.parameters)
  return (
    <div class="page">
      <h1>{later().settings.title}</h1>
      <Language />
      <Recording tracer={tracer} limitM={limitM} />
      <Home tracer={tracer} />
      <Zones tracer={tracer} />
      <ConsentList tracer={tracer} />
      <EnrolmentCard tracer={tracer} />
      <Help limitM={limitM} />
      <StreetsCard />
      <Notifications />
      <Storage />
      <About manifest={manifest} />
      <Erase tracer={tracer} />
    </div>
  )
}

function Language() {
  const { language, languageFailed } = later().settings
  const [failed, setFailed] = useState(false)
  return (
    <section class="card" aria-labelledby="language">
      <div class="row spread">
        <h2>
          <label id="language" for="languages">
            {language}
          </label>
        </h2>
        <select
          id="languages"
          translate={false}
          value={languageCode()}
          onChange={(event) => {
            chooseLanguage(event.currentTarget.value as LanguageCode).then(
              () => setFailed(false),
              () => setFailed(true),
            )
          }}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <p role="status">{failed && languageFailed}</p>
    </section>
  )
}

function Recording({ tracer, limitM }: { tracer: Tracer; limitM: number }) {
  const state = recording.value
  const here = position.value
  const { record } = consents.value
  const { settings: text } = later()
  const { metres } = format()
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
        <h2 id="recording">{text.recording}</h2>
        <button type="button" onClick={toggle} disabled={!record} aria-pressed={state !== 'off'}>
          {state === 'off' ? text.resume : state === 'denied' ? text.tryAgain : text.pause}
        </button>
      </div>
      <p role="status">{record ? text.recordingStates[state] : text.noDiary}</p>
      <label class="check">
        <input
          type="checkbox"
          checked={fewer.value}
          onChange={(event) => askForFewer(tracer, event.currentTarget.checked)}
        />{' '}
        {text.fewer}
      </label>
      <p class="small">{text.fewerWhy(FEWER_PER_DAY)}</p>
      {here !== undefined && (
        <p class="small">
          <Rich
            text={text.lastPosition(coordinates(here), metres(here.accuracyM ?? 0), metres(limitM))}
            parts={{
              place: (inner) => (
                <span class="mono" translate={false}>
                  {inner}
                </span>
              ),
            }}
          />
        </p>
      )}
    </section>
  )
}

function Home({ tracer }: { tracer: Tracer }) {
  const here = position.value
  const { settings: text, home: marking } = later()
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
      <h2 id="home">{text.home}</h2>
      <p>{home.known ? text.homeKnown(home.nights, home.marked.length) : text.homeUnknown}</p>
      <div class="row buttons">
        <button type="button" onClick={mark} disabled={here === undefined}>
          {marking.here}
        </button>
        <a class="button" href="#/map?pick=home">
          {marking.onMap}
        </a>
        {home.marked.length > 0 && (
          <button type="button" onClick={() => tracer.home.unmark().then(changed)}>
            {text.forgetHomes}
          </button>
        )}
      </div>
      <p class="small">{text.displaced}</p>
    </section>
  )
}

function Zones({ tracer }: { tracer: Tracer }) {
  const here = position.value
  const { settings: text } = later()
  const { metres } = format()
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
      <h2 id="zones">{text.zones}</h2>
      <p>{text.zonesWhy}</p>
      <ul class="list">
        {zones.map(({ id, shape }) => (
          <li key={id} class="row spread">
            <span>
              {'corners' in shape ? (
                text.corners(shape.corners.length)
              ) : (
                <Rich
                  text={text.around(metres(shape.radiusM), coordinates(shape))}
                  parts={{
                    place: (inner) => (
                      <a class="mono" translate={false} href={`#/map?at=${shape.lat},${shape.lng}`}>
                        {inner}
                      </a>
                    ),
                  }}
                />
              )}
            </span>
            <button type="button" onClick={() => tracer.zones.remove(id).then(changed)}>
              {text.remove}
            </button>
          </li>
        ))}
      </ul>
      <div class="row buttons">
        <label class="inline" for="radius">
          {text.radius}
        </label>
        <select id="radius" value={radiusM} onChange={(event) => setRadius(Number(event.currentTarget.value))}>
          {RADII_M.map((radius) => (
            <option key={radius} value={radius}>
              {metres(radius)}
            </option>
          ))}
        </select>
        <button type="button" onClick={add} disabled={here === undefined}>
          {text.hideHere}
        </button>
        <a class="button" href="#/map?pick=zone">
          {text.chooseOnMap}
        </a>
      </div>
    </section>
  )
}

function ConsentList({ tracer }: { tracer: Tracer }) {
  const given = consents.value
  const { settings: text } = later()
  async function change(kind: ConsentKind, on: boolean) {
    await (on ? tracer.consent.give(kind) : tracer.consent.withdraw(kind))
    if (kind === 'record' && !on) stopRecording()
    if (kind === 'record' && on) startRecording(tracer)
    await refreshConsents(tracer)
  }
  return (
    <section class="card" aria-labelledby="consents">
      <h2 id="consents">{text.consents}</h2>
      {CONSENTS.map((kind) => (
        <label key={kind} class="check">
          <input
            type="checkbox"
            checked={given[kind]}
            onChange={(event) => change(kind, event.currentTarget.checked)}
          />{' '}
          {text.consent[kind]}
        </label>
      ))}
    </section>
  )
}

/** Steps that the status names. `#/settings?help=clock` opens one of them. */
function Help({ limitM }: { limitM: number }) {
  const { settings: text } = later()
  const wanted = readQuery().get('help')
  return (
    <section class="card" aria-labelledby="help">
      <h2 id="help">{text.help}</h2>
      <details open={wanted === 'accuracy'}>
        <summary>{text.inaccurate}</summary>
        <p>{text.inaccurateWhy(format().metres(limitM))}</p>
      </details>
      <details open={wanted === 'clock'}>
        <summary>{text.clock}</summary>
        <p>{text.clockWhy}</p>
      </details>
      <details open={wanted === 'background'}>
        <summary>{text.background}</summary>
        <p>{text.backgroundWhy}</p>
      </details>
    </section>
  )
}

function Notifications() {
  const state = notifying.value
  const { settings: text } = later()
  return (
    <section class="card" aria-labelledby="notifications">
      <div class="row spread">
        <h2 id="notifications">{text.notifications}</h2>
        {state === 'default' && (
          <button type="button" onClick={() => void askToNotify()}>
            {text.notify}
          </button>
        )}
      </div>
      <p role="status">{text.notifying[state]}</p>
      <p class="small">{text.closed}</p>
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
  const { settings: text } = later()
  return (
    <section class="card" aria-labelledby="storage">
      <h2 id="storage">{text.storage}</h2>
      <p>
        {text.sealed(format().megabytes(state.usage / 1e6))} {state.kept ? text.persisted : text.notPersisted}
      </p>
      {!state.kept && (
        <button type="button" onClick={() => navigator.storage.persist().then(look)}>
          {text.persist}
        </button>
      )}
    </section>
  )
}

function About({ manifest }: { manifest: Manifest }) {
  const { parameters, members, operators } = manifest
  const { settings: text } = later()
  const limit = format().metres(accuracyMaxM(parameters))
  return (
    <section class="card quiet" aria-labelledby="about">
      <h2 id="about">{text.federation}</h2>
      <p>{text.about(manifest.name, members.length, operators.length, parameters.retentionDays, limit)}</p>
      <p class="small mono breakable" translate={false}>
        {bytesToHex(manifestToId(manifest))}
      </p>
    </section>
  )
}

function Erase({ tracer }: { tracer: Tracer }) {
  const [sure, setSure] = useState(false)
  const [outcome, setOutcome] = useState('')
  const { settings: text } = later()
  async function erase() {
    setSure(false)
    stopRecording()
    try {
      await tracer.eraseAll()
      setOutcome(text.erased)
    } catch (error) {
      setOutcome(text.erasedHere(errorText(error)))
    }
    position.value = undefined
    absences.value = []
    placeNames.value = []
    sent.value = []
    await Promise.all([refreshDiary(tracer), refreshExposures(tracer), refreshConsents(tracer)])
  }
  return (
    <section class="card danger" aria-labelledby="erase">
      <h2 id="erase">{text.erase}</h2>
      <p>{text.eraseWhy}</p>
      {sure ? (
        <div class="row buttons">
          <button type="button" class="danger" onClick={erase}>
            {text.eraseYes}
          </button>
          <button type="button" onClick={() => setSure(false)}>
            {text.no}
          </button>
        </div>
      ) : (
        <button type="button" onClick={() => setSure(true)}>
          {text.eraseAsk}
        </button>
      )}
      <p role="status">{outcome}</p>
    </section>
  )
}
