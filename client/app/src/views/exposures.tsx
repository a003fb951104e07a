/** Exposures: place, time, duration, lag, degree and certainty of each, with the person's verdict. */
import '../styles/exposures.css'
import type { Exposure, Tracer, Verdict } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import { useNow } from '../now.ts'
import { exposures, refreshExposures, syncing } from '../session.ts'
import { ago, closeness, count, day, degreeToWords, place, time } from '../words.ts'

interface Advice {
  exposed: { title: string; steps: string[] }
  reported: { title: string; steps: string[] }
  authority: string
}

const SURE: Record<Exposure['certainty'], { bars: number; word: string; why: string }> = {
  high: { bars: 3, word: 'Quite sure', why: 'the same few metres and the same five minutes, more than once' },
  medium: { bars: 2, word: 'Likely', why: 'the same few metres within twenty minutes' },
  low: { bars: 1, word: 'Possible', why: 'the same few metres, but only a longer span of time matched' },
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
  const shown = all.filter(({ verdict }) => (verdict === 'archived' || verdict === 'dismissed') === archive).reverse()
  const put = all.filter(({ verdict }) => verdict === 'archived' || verdict === 'dismissed').length
  const open = all.some(({ verdict }) => verdict === 'new' || verdict === 'confirmed')
  return (
    <div class="page">
      <h1>Exposures</h1>
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
          <li key={exposure.from}>
            <Card exposure={exposure} tracer={tracer} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Nothing() {
  const { last } = syncing.value
  const now = useNow()
  return (
    <section class="card calm">
      <h2>No known exposure</h2>
      <p>
        None of the hashes of this device was at risk
        {last === undefined ? '. It has not synced since the app was opened.' : `, as of ${ago(last.at, now)}.`}
      </p>
    </section>
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
    await refreshExposures()
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
