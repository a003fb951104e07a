/** One exposure: when, how close, how sure, on a small map and on a time bar, with dated advice and the person's verdict. */
import type { Certainty, Exposure, Verdict } from '@geotrace/client'
import { toPlaceName } from '@geotrace/client'
import { coordinates } from '../coordinates.ts'
import { useNow } from '../now.ts'
import { placeNames } from '../session/state.ts'
import { Rich } from '../text/rich.tsx'
import { format, later, words } from '../text/text.ts'
import { LazyView } from '../views/lazy.tsx'
import { type Advice, toDatedAdvice } from './advice.ts'
import { Share } from './share.tsx'
import { TimeBar } from './time-bar.tsx'

/** Bars of three, as those of a signal. */
const BARS: Readonly<Record<Certainty, number>> = { high: 3, medium: 2, low: 1 }

interface CardProps {
  exposure: Exposure
  advice: Advice | undefined
  onJudge: (exposure: Exposure, verdict: Verdict) => void
}

export function Card({ exposure, advice, onJudge }: CardProps) {
  const { from, to, certainty, verdict } = exposure
  const { day, time, span } = format()
  const isAway = verdict === 'dismissed' || verdict === 'archived'
  return (
    <article class={`card exposure exposure-${certainty}`}>
      <header class="row spread">
        <div>
          <h2>{day(from)}</h2>
          <p class="when">
            {time(from)} – {time(to)} <span class="small">({span(to - from)})</span>
          </p>
        </div>
        <p class="sure">
          <span class="bars" aria-hidden="true">
            {[1, 2, 3].map((bar) => (
              <span key={bar} data-on={bar <= BARS[certainty]} />
            ))}
          </span>
          {words().certainty[certainty].word}
        </p>
      </header>
      <p>
        {words().closeness(exposure)} {words().degree(exposure.degree)}
      </p>
      {!isAway && (
        <>
          <TimeBar exposure={exposure} />
          <LazyView load={() => import('./small-map.tsx')} props={{ exposure }} />
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
  const { exposures: text } = later()
  const name = toPlaceName(placeNames.value, exposure)
  return (
    <>
      <p class="small">
        {name !== undefined && <strong translate={false}>{name}: </strong>}
        {words().certainty[certainty].why} <a href={`#/map?at=${lat},${lng}`}>{text.seeOnMap}</a>
      </p>
      <details class="small">
        <summary>{text.details}</summary>
        <p>
          <Rich
            text={text.detail(coordinates({ lat, lng }), matches, layers)}
            parts={{
              place: (inner) => (
                <span class="mono" translate={false}>
                  {inner}
                </span>
              ),
            }}
          />
        </p>
      </details>
    </>
  )
}

function Steps({ exposure, advice }: { exposure: Exposure; advice: Advice }) {
  const dated = toDatedAdvice(advice, exposure, useNow(), format().day)
  if (dated === undefined) return null
  return (
    <section class="advice" aria-label={dated.title} lang={advice.language}>
      <h3>{dated.title}</h3>
      <ol>
        {dated.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p class="small">{later().exposures.writtenBy(advice.authority)}</p>
    </section>
  )
}

function Judgement({ exposure, onJudge }: Omit<CardProps, 'advice'>) {
  const { verdict } = exposure
  const isAway = verdict === 'dismissed' || verdict === 'archived'
  const { exposures: text } = later()
  return (
    <div class="row buttons">
      {verdict === 'new' && (
        <button type="button" onClick={() => onJudge(exposure, 'confirmed')}>
          {text.wasThere}
        </button>
      )}
      {!isAway && (
        <button type="button" onClick={() => onJudge(exposure, 'dismissed')}>
          {text.notMe}
        </button>
      )}
      {verdict === 'confirmed' && (
        <button type="button" onClick={() => onJudge(exposure, 'archived')}>
          {text.putAway}
        </button>
      )}
      {isAway && (
        <button type="button" onClick={() => onJudge(exposure, 'new')}>
          {text.bringBack}
        </button>
      )}
      {verdict === 'confirmed' && <span class="small">{text.said.confirmed}</span>}
    </div>
  )
}
