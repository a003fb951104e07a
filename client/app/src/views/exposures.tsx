/** Exposures: place, time, duration, lag, degree and certainty of each, with the person's verdict. */
import '../styles/exposures.css'
import type { DailySummary, Exposure, Tracer, Verdict } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import { useAdvice } from '../exposures/advice.ts'
import { Card } from '../exposures/card.tsx'
import { useNow } from '../now.ts'
import { readQuery } from '../query.ts'
import { refreshExposures, refreshNames } from '../session/refresh.ts'
import { exposures, protection } from '../session/state.ts'
import { format, later } from '../text/text.ts'
import { Status } from './status.tsx'

interface Judged {
  exposure: Exposure
  verdict: Verdict
}

export default function ExposuresView({ tracer }: { tracer: Tracer }) {
  const all = exposures.value
  const [archive, setArchive] = useState(false)
  const [judged, setJudged] = useState<Judged | undefined>(undefined)
  const advice = useAdvice()
  const { exposures: text } = later()
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
      <h1>{text.title}</h1>
      <Status tracer={tracer} />
      {!archive && shown.length === 0 && <Nothing tracer={tracer} />}
      <p role="status" class="judged" data-shown={judged !== undefined}>
        {judged !== undefined && (
          <>
            {text.said[judged.verdict]}{' '}
            <button type="button" class="link" onClick={() => void undo(judged)}>
              {text.undo}
            </button>
          </>
        )}
      </p>
      {put > 0 && (
        <div class="tabs">
          <button type="button" aria-pressed={!archive} onClick={() => setArchive(false)}>
            {text.open(all.length - put)}
          </button>
          <button type="button" aria-pressed={archive} onClick={() => setArchive(true)}>
            {text.away(put)}
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
  const { exposures: text } = later()
  const { span, relative } = format()
  const synced = status?.situation.lastSyncMs
  if (status === undefined || status.comparedMs === 0 || synced === undefined) {
    return (
      <section class="card">
        <h2>{text.unknown}</h2>
        <p>{text.unknownWhy}</p>
      </section>
    )
  }
  return (
    <section class="card calm">
      <h2>{text.none}</h2>
      <p>{text.noneWhy(span(status.comparedMs), relative(synced, now))}</p>
      <Days tracer={tracer} />
    </section>
  )
}

/** The compared hours of the last days as a bar for each day. */
function Days({ tracer }: { tracer: Tracer }) {
  const { exposures: text } = later()
  const n = format()
  const [days, setDays] = useState<readonly DailySummary[]>([])
  const status = protection.value
  useEffect(() => {
    tracer.dailySummaries(-new Date().getTimezoneOffset()).then(setDays, () => undefined)
  }, [status])
  return (
    <ol class="compared-days" aria-label={text.days}>
      {days.map(({ from, comparedMinutes }) => {
        const words = text.day(n.day(from), n.hours(comparedMinutes / 60))
        return (
          <li key={from} title={words} data-empty={comparedMinutes === 0}>
            <span style={{ height: `${(100 * comparedMinutes) / (24 * 60)}%` }} />
            <small aria-hidden="true">{n.number(new Date(from).getDate())}</small>
            <span class="hidden">{words}</span>
          </li>
        )
      })}
    </ol>
  )
}
