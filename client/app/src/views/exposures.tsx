/** Exposures: place, time, duration, lag, degree and certainty of each, with the person's verdict. */
import '../styles/exposures.css'
import type { ComparedEpoch, Exposure, Tracer, Verdict } from '@geotrace/client'
import { DAY_MS, EPOCH_MS } from '@geotrace/core-wasm/wire'
import { useEffect, useState } from 'preact/hooks'
import { useNow } from '../now.ts'
import { comparedToWords } from '../protection-words.ts'
import { readQuery } from '../query.ts'
import { refreshExposures } from '../session/refresh.ts'
import { exposures, protection } from '../session/state.ts'
import { ago, closeness, count, day, degreeToWords, place, time } from '../words.ts'
import { Status } from './status.tsx'

const DAYS = 14

interface Advice {
  exposed: { title: string; steps: string[] }
  reported: { title: string; steps: string[] }
  authority: string
}

const SURE: Record<Exposure['certainty'], { bars: number; word: string; why: string }> = {
  high: { bars: 3, word: 'Quite sure', why: 'within 24 m and the same five minutes, more than once' },
  medium: { bars: 2, word: 'Likely', why: 'within 24 m and twenty minutes' },
  low: { bars: 1, word: 'Possible', why: 'within 24 m, but only a longer span of time matched' },
}

/** The advice that the authority writes in advice.json, beside the app. */
export function useAdvice(): Advice | undefined {
  const [advice, setAdvice] = useState<Advice | undefined>(undefined)
  useEffect(() => {
    fetch('/advice.json')
      .then((response) => response.json() as Promise<Advice>)
      .then(setAdvice, () => undefined)
  }, [])
  return advice
}

export function ExposuresView({ tracer }: { tracer: Tracer }) {
  const all = exposures.value
  const [archive, setArchive] = useState(false)
  // The map's ring opens `#/exposures?from=MS`.
  useEffect(() => {
    const from = readQuery().get('from')
    document.getElementById(`exposure-${from}`)?.scrollIntoView({ block: 'center' })
  }, [])
  const shown = all.filter(({ verdict }) => (verdict === 'archived' || verdict === 'dismissed') === archive).reverse()
  const put = all.filter(({ verdict }) => verdict === 'archived' || verdict === 'dismissed').length
  const open = all.some(({ verdict }) => verdict === 'new' || verdict === 'confirmed')
  return (
    <div class="page">
      <h1>Exposures</h1>
      <Status tracer={tracer} />
      {!archive && shown.length === 0 && <Nothing />}
      {!archive && open && <Next />}
      {put > 0 && (
        <div class="tabs">
          <button type="button" aria-pressed={!archive} onClick={() => setArchive(false)}>
            Open ({all.length - put})
          </button>
          <button type="button" aria-pressed={archive} onClick={() => setArchive(true)}>
            Put away ({put})
          </button>
        </div>
      )}
      <ul class="cards">
        {shown.map((exposure) => (
          <li key={exposure.from} id={`exposure-${exposure.from}`}>
            <Card exposure={exposure} tracer={tracer} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Good news holds only for hours that the central peer can compare, so the card names them. */
function Nothing() {
  const status = protection.value
  const now = useNow()
  const compared = status && comparedToWords(status)
  const synced = status?.situation.lastSyncMs
  if (status === undefined || compared === undefined || synced === undefined) {
    return (
      <section class="card">
        <h2>Nothing is known yet</h2>
        <p>
          None of your hours has been compared with those of others, so this device cannot tell whether you were near
          somebody who tested positive.
        </p>
      </section>
    )
  }
  return (
    <section class="card calm">
      <h2>No known exposure</h2>
      <p>
        In {compared} that could be compared, none of your hashes was at risk, as of the sync {ago(synced, now)}. Other
        hours are not known.
      </p>
      <Days compared={status.situation.compared} now={now} />
    </section>
  )
}

/** The compared hours of the last fourteen days as a bar for each day. */
function Days({ compared, now }: { compared: readonly ComparedEpoch[]; now: number }) {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  const days = Array.from({ length: DAYS }, (_, i) => midnight - (DAYS - 1 - i) * DAY_MS)
  return (
    <ol class="compared-days" aria-label="Compared hours by day">
      {days.map((from) => {
        const minutes = compared
          .filter(({ epoch }) => epoch * EPOCH_MS >= from && epoch * EPOCH_MS < from + DAY_MS)
          .reduce((sum, item) => sum + item.minutes, 0)
        const text = `${day(from)}: ${(minutes / 60).toFixed(1)} hours`
        return (
          <li key={from} title={text} data-empty={minutes === 0}>
            <span style={{ height: `${(100 * minutes) / (24 * 60)}%` }} />
            <small aria-hidden="true">{new Date(from).getDate()}</small>
            <span class="hidden">{text}</span>
          </li>
        )
      })}
    </ol>
  )
}

function Next() {
  const advice = useAdvice()
  if (advice === undefined) return null
  return (
    <section class="card advice" aria-labelledby="advice">
      <h2 id="advice">{advice.exposed.title}</h2>
      <ol>
        {advice.exposed.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p class="small">Written by {advice.authority}.</p>
    </section>
  )
}

function Card({ exposure, tracer }: { exposure: Exposure; tracer: Tracer }) {
  const { from, to, lat, lng, degree, certainty, matches, layers, verdict } = exposure
  const sure = SURE[certainty]
  async function judge(next: Verdict) {
    await tracer.judge(exposure, next)
    await refreshExposures(tracer)
  }
  return (
    <article class={`card exposure exposure-${certainty}`}>
      <header class="row spread">
        <div>
          <h2>{day(from)}</h2>
          <p class="when">
            {time(from)} – {time(to)} <span class="small">({count(Math.round((to - from) / 60_000), 'minute')})</span>
          </p>
        </div>
        <p class="sure" title={sure.why}>
          <span class="bars" aria-hidden="true">
            {[1, 2, 3].map((bar) => (
              <span key={bar} data-on={bar <= sure.bars} />
            ))}
          </span>
          {sure.word}
        </p>
      </header>
      <p>
        {closeness(exposure)} {degreeToWords(degree)}
      </p>
      <p class="small">
        Near{' '}
        <a class="mono" href={`#/map?at=${lat},${lng}`}>
          {place({ lat, lng })}
        </a>
        : {count(matches, 'matching hash', 'matching hashes')}, at best in {layers} of 3 layers; within 24 m of each
        other.
      </p>
      <div class="row buttons">
        {verdict !== 'confirmed' && verdict !== 'dismissed' && (
          <button type="button" onClick={() => judge('confirmed')}>
            I was there
          </button>
        )}
        {verdict !== 'dismissed' && verdict !== 'archived' && (
          <button type="button" onClick={() => judge('dismissed')}>
            That was not me
          </button>
        )}
        {verdict === 'confirmed' && (
          <button type="button" onClick={() => judge('archived')}>
            Put away
          </button>
        )}
        {(verdict === 'dismissed' || verdict === 'archived') && (
          <button type="button" onClick={() => judge('new')}>
            Bring back
          </button>
        )}
        {verdict === 'confirmed' && <span class="small">You said that you were there.</span>}
      </div>
    </article>
  )
}
