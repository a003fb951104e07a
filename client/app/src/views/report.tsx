/** Reporting a positive test: the code, typed or scanned, the consent, and the outcome. */
import { isFederationError, type Protection, parseReportCode, type Tracer } from '@geotrace/client'
import type { ReportStatus } from '@geotrace/core-wasm/wire'
import { useState } from 'preact/hooks'
import { CodeField } from '../codes/field.tsx'
import { useAdvice } from '../exposures/advice.ts'
import { refreshConsents } from '../session/refresh.ts'
import { consents, isReporting, protection, syncing } from '../session/state.ts'
import { reportNow } from '../session/sync.ts'
import { Rich } from '../text/rich.tsx'
import { errorText, format, later } from '../text/text.ts'
import { OwnReportCard } from './own-report.tsx'

export default function ReportView({ tracer }: { tracer: Tracer }) {
  const { running } = syncing.value
  const { deposit } = consents.value
  const status = protection.value
  const [code, setCode] = useState('')
  const [agreed, setAgreed] = useState(false)
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined)
  const advice = useAdvice()
  const { report: text } = later()
  const canWarn = status !== undefined && status.comparedMs > 0

  async function report(event: Event) {
    event.preventDefault()
    setOutcome(undefined)
    try {
      parseReportCode(code)
      await tracer.consent.give('report')
      await refreshConsents(tracer)
      setOutcome(toOutcome((await reportNow(code)).report))
      setCode('')
      setAgreed(false)
    } catch (error) {
      setOutcome({ good: false, text: toFailure(error) })
    }
  }

  return (
    <div class="page narrow">
      <h1>{text.title}</h1>
      <p class="lead">{text.lead}</p>
      <OwnReportCard tracer={tracer} advice={advice} />
      <Reach status={status} />
      <form class="card" onSubmit={report}>
        <CodeField id="code" label={text.code} code={code} onCode={setCode} />
        <label class="check">
          <input
            type="checkbox"
            checked={agreed}
            onChange={(event) => setAgreed(event.currentTarget.checked)}
            required
          />{' '}
          {text.agree}
        </label>
        <button type="submit" class="primary large" disabled={!deposit || !agreed || !canWarn || isReporting.value}>
          {isReporting.value ? (running ? text.reporting : text.waiting) : text.report}
        </button>
        {!deposit && <p class="small">{text.needsDeposit}</p>}
        {deposit && !canWarn && <p class="small">{text.keepCode}</p>}
        <div role="status">
          {outcome !== undefined && <p class={outcome.good ? 'good' : 'warning'}>{outcome.text}</p>}
        </div>
      </form>
      <p class="small">{text.rhythm}</p>
    </div>
  )
}

interface Outcome {
  good: boolean
  text: string
}

function toOutcome(report: ReportStatus): Outcome {
  const { accepted, held, updated, noAnswer } = later().report
  if (report === 'accepted' || report === 'published') return { good: true, text: accepted }
  if (report === 'held') return { good: true, text: held }
  if (report === 'updated') return { good: true, text: updated }
  return { good: false, text: noAnswer }
}

/** A report that could not be sent is kept, and goes with the next sync. */
function toFailure(error: unknown): string {
  const isKept = (['PEER_UNREACHABLE', 'PEER_TIMEOUT', 'BUSY'] as const).some((code) => isFederationError(error, code))
  return isKept ? later().report.kept : errorText(error)
}

/** Shown before the code is spent. With no hour to compare, a report would reach nobody. */
function Reach({ status }: { status: Protection | undefined }) {
  const { report: text } = later()
  if (status === undefined) return <p class="card quiet">{text.unknown}</p>
  const isNone = status.comparedMs === 0
  const { fixesHeld } = status.situation
  return (
    <section class="card" aria-labelledby="reach">
      <h2 id="reach">{isNone ? text.noReach : text.reach(format().span(status.comparedMs))}</h2>
      <p>{isNone ? text.noReachWhy : text.reachWhy}</p>
      {fixesHeld > 0 && (
        <p class="warning">
          <Rich text={text.heldMore(fixesHeld)} parts={{ a: (inner) => <a href="#/map?pick=home">{inner}</a> }} />
        </p>
      )}
    </section>
  )
}
