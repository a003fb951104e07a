/** Exposures: place, time, duration, lag, degree and certainty of each, with the person's verdict. */
import '../styles/exposures.css'
import type { DailySummary, Exposure, Tracer, Verdict } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import { useAdvice } from '../exposures/advice.ts'
import { Card } from '../exposures/card.tsx'
import { useNow } from '../now.ts'
import { comparedToWords } from '../protection-words.ts'
import { readQuery } from '../query.ts'
import { refreshExposures, refreshNames } from '../session/refresh.ts'
import { exposures, protection } from '../session/state.ts'
import { ago, day } from '../words.ts'
import { Status } from './status.tsx'

const SAID: Readonly<Record<Verdict, string>> = {
  new: 'The exposure is open again.',
  confirmed: 'You said that you were there.',
  dismissed: 'You said that this was not you. It no longer counts.',
  archived: 'The exposure is put away.',
}

interface Judged {
  exposure: Exposure
  verdict: Verdict
}

export function ExposuresView({ tracer }: { tracer: Tracer }) {
  const all = exposures.value
  const [archive, setArchive] = useState(false)
  const [judged, setJudged] = useState<Judged | undefined>(undefined)
  const advice = useAdvice()
  useEffect(() => void refreshNames(tracer), [])
  async function judge(exposure: Exposure, verdict: Verdict) {
    await tracer.judge(exposure, verdict)
    await refreshExposures(tracer)
    setJudged({ exposure, verdict })
  }
  async function undo({ exposure }: Judged) {
    await tracer.judge(exposure, exposure.verdict)
    await refreshExposures(tracer)
    setJudged(undefined)
  }
  // The map's ring opens `#/exposures?from=MS`.
  useEffect(() => {
    const from = readQuery().get('from')
    document.getElementById(`exposure-${from}`)?.scrollIntoView({ block: 'center' })
  }, [])
  const shown = all.filter(({ verdict }) => (verdict === 'archived' || verdict === 'dismissed') === archive).reverse()
  const put = all.filter(({ verdict }) => verdict === 'archived' || verdict === 'dismissed').length
  return (
    <div class="page">
      <h1>Exposures</h1>
      <Status tracer={tracer} />
      {!archive && shown.length === 0 && <Nothing tracer={tracer} />}
      <p role="status" class="judged" data-shown={judged !== undefined}>
        {judged !== undefined && (
          <>
            {SAID[judged.verdict]}{' '}
            <button type="button" class="link" onClick={() => void undo(judged)}>
              Undo
            </button>
          </>
        )}
      </p>
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
            <Card exposure={exposure} advice={advice} onJudge={(item, verdict) => void judge(item, verdict)} />
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Good news holds only for hours that the central peer can compare, so the card names them. */
function Nothing({ tracer }: { tracer: Tracer }) {
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
      <Days tracer={tracer} />
    </section>
  )
}

/** The compared hours of the last days as a bar for each day. */
function Days({ tracer }: { tracer: Tracer }) {
  const [days, setDays] = useState<readonly DailySummary[]>([])
  const status = protection.value
  useEffect(() => {
    tracer.dailySummaries(-new Date().getTimezoneOffset()).then(setDays, () => undefined)
  }, [status])
  return (
    <ol class="compared-days" aria-label="Compared hours by day">
      {days.map(({ from, comparedMinutes }) => {
        const text = `${day(from)}: ${(comparedMinutes / 60).toFixed(1)} hours`
        return (
          <li key={from} title={text} data-empty={comparedMinutes === 0}>
            <span style={{ height: `${(100 * comparedMinutes) / (24 * 60)}%` }} />
            <small aria-hidden="true">{new Date(from).getDate()}</small>
            <span class="hidden">{text}</span>
          </li>
        )
      })}
    </ol>
  )
}
