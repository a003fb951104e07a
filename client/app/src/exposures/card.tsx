/** One exposure: when, how close, how sure, on a small map and on a time bar, with dated advice and the person's verdict. */
import type { Exposure, Verdict } from '@geotrace/client'
import { toPlaceName } from '@geotrace/client'
import { useNow } from '../now.ts'
import { placeNames } from '../session/state.ts'
import { LazyView } from '../views/lazy.tsx'
import { closeness, count, day, degreeToWords, place, time } from '../words.ts'
import { type Advice, toDatedAdvice } from './advice.ts'
import { SURE } from './exposure-words.ts'
import { Share } from './share.tsx'
import { TimeBar } from './time-bar.tsx'

interface CardProps {
  exposure: Exposure
  advice: Advice | undefined
  onJudge: (exposure: Exposure, verdict: Verdict) => void
}

export function Card({ exposure, advice, onJudge }: CardProps) {
  const { from, to, certainty, verdict } = exposure
  const sure = SURE[certainty]
  const isAway = verdict === 'dismissed' || verdict === 'archived'
  return (
    <article class={`card exposure exposure-${certainty}`}>
      <header class="row spread">
        <div>
          <h2>{day(from)}</h2>
          <p class="when">
            {time(from)} – {time(to)} <span class="small">({count(Math.round((to - from) / 60_000), 'minute')})</span>
          </p>
        </div>
        <p class="sure">
          <span class="bars" aria-hidden="true">
            {[1, 2, 3].map((bar) => (
              <span key={bar} data-on={bar <= sure.bars} />
            ))}
          </span>
          {sure.word}
        </p>
      </header>
      <p>
        {closeness(exposure)} {degreeToWords(exposure.degree)}
      </p>
      {!isAway && (
        <>
          <TimeBar exposure={exposure} />
          <LazyView load={() => import('./small-map.tsx')} what="The map" props={{ exposure }} />
          <Where exposure={exposure} />
          {advice !== undefined && <Steps exposure={exposure} advice={advice} />}
        </>
      )}
      <Judgement exposure={exposure} onJudge={onJudge} />
      {!isAway && <Share exposure={exposure} />}
    </article>
  )
}

function Where({ exposure }: { exposure: Exposure }) {
  const { lat, lng, certainty, matches, layers } = exposure
  const name = toPlaceName(placeNames.value, exposure)
  return (
    <>
      <p class="small">
        {name !== undefined && <strong>{name}: </strong>}
        {SURE[certainty].why} <a href={`#/map?at=${lat},${lng}`}>See it on the map</a>
      </p>
      <details class="small">
        <summary>Details</summary>
        <p>
          <span class="mono">{place({ lat, lng })}</span>, {count(matches, 'matching hash', 'matching hashes')}, at best
          in {layers} of 3 layers.
        </p>
      </details>
    </>
  )
}

function Steps({ exposure, advice }: { exposure: Exposure; advice: Advice }) {
  const dated = toDatedAdvice(advice, exposure, useNow())
  if (dated === undefined) return null
  return (
    <section class="advice" aria-label={dated.title}>
      <h3>{dated.title}</h3>
      <ol>
        {dated.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p class="small">Written by {advice.authority}.</p>
    </section>
  )
}

function Judgement({ exposure, onJudge }: Omit<CardProps, 'advice'>) {
  const { verdict } = exposure
  const isAway = verdict === 'dismissed' || verdict === 'archived'
  return (
    <div class="row buttons">
      {verdict === 'new' && (
        <button type="button" onClick={() => onJudge(exposure, 'confirmed')}>
          I was there
        </button>
      )}
      {!isAway && (
        <button type="button" onClick={() => onJudge(exposure, 'dismissed')}>
          That was not me
        </button>
      )}
      {verdict === 'confirmed' && (
        <button type="button" onClick={() => onJudge(exposure, 'archived')}>
          Put away
        </button>
      )}
      {isAway && (
        <button type="button" onClick={() => onJudge(exposure, 'new')}>
          Bring back
        </button>
      )}
      {verdict === 'confirmed' && <span class="small">You said that you were there.</span>}
    </div>
  )
}
