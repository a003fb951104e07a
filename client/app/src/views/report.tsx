/** Reporting a positive test: the code, typed or scanned, the consent, and the outcome. */
import '../styles/report.css'
import { isFederationError, type Protection, parseReportCode, type Tracer } from '@geotrace/client'
import type { ReportStatus } from '@geotrace/core-wasm/wire'
import { useState } from 'preact/hooks'
import { useAdvice } from '../exposures/advice.ts'
import { comparedToWords } from '../protection-words.ts'
import { refreshConsents } from '../session/refresh.ts'
import { consents, isReporting, protection, syncing } from '../session/state.ts'
import { reportNow } from '../session/sync.ts'
import { count, errorToWords } from '../words.ts'
import { Scanner } from './scanner.tsx'

export function ReportView({ tracer }: { tracer: Tracer }) {
  const { running } = syncing.value
  const { deposit } = consents.value
  const status = protection.value
  const [code, setCode] = useState('')
  const [agreed, setAgreed] = useState(false)
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined)
  const advice = useAdvice()
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
      <h1>Report a positive test</h1>
      <p class="lead">
        With the code that the health authority gave you. Those who were near you learn where and when they met
        somebody, not whom.
      </p>
      <Reach status={status} />
      <form class="card" onSubmit={report}>
        <label for="code">Report code</label>
        <input
          id="code"
          class="mono code"
          value={code}
          onInput={(event) => setCode(toCode(event.currentTarget.value))}
          placeholder="XXXX-XXXX-XXXX-XXXX"
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={19}
          required
          aria-describedby="code-help"
        />
        <p id="code-help" class="small">
          Sixteen letters and digits. O counts as 0, and I as 1.
        </p>
        <Scanner onCode={(text) => setCode(toCode(text))} />
        <label class="check">
          <input
            type="checkbox"
            checked={agreed}
            onChange={(event) => setAgreed(event.currentTarget.checked)}
            required
          />{' '}
          I agree that the hashes of the last days are compared with those of others. They go with a random number of
          this device, without a place and without a name.
        </label>
        <button type="submit" class="primary large" disabled={!deposit || !agreed || !canWarn || isReporting.value}>
          {isReporting.value ? (running ? 'Reporting …' : 'Waiting …') : 'Report'}
        </button>
        {!deposit && <p class="small">Reporting needs your agreement to deposits, in the settings.</p>}
        {deposit && !canWarn && (
          <p class="small">Keep the code. It can be used when at least one hour can warn others.</p>
        )}
        <div role="status">
          {outcome !== undefined && <p class={outcome.good ? 'good' : 'warning'}>{outcome.text}</p>}
        </div>
      </form>
      {outcome?.good === true && advice !== undefined && (
        <section class="card calm">
          <h2>{advice.reported.title}</h2>
          <ul>
            {advice.reported.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        </section>
      )}
      <p class="small">
        A report has the size of any other sync and goes to the same peers. It goes at once, so somebody who watches
        this network sees a sync outside the hourly rhythm.
      </p>
    </div>
  )
}

interface Outcome {
  good: boolean
  text: string
}

function toOutcome(report: ReportStatus): Outcome {
  if (report === 'accepted' || report === 'published')
    return { good: true, text: 'Reported. The central peer accepted the code.' }
  if (report === 'held')
    return { good: true, text: 'Reported. The authority looks at the report before it warns others.' }
  if (report === 'updated') return { good: true, text: 'You reported with this code before. The report was updated.' }
  return { good: false, text: `The central peer gave no answer to the code (${report}). The next sync asks again.` }
}

/** A report that could not be sent is kept, and goes with the next sync. */
function toFailure(error: unknown): string {
  const isKept = (['PEER_UNREACHABLE', 'PEER_TIMEOUT', 'BUSY'] as const).some((code) => isFederationError(error, code))
  return isKept
    ? 'The central peer cannot be reached. Your report waits on this device and goes with the next sync.'
    : errorToWords(error)
}

/** Shown before the code is spent. With no hour to compare, a report would reach nobody. */
function Reach({ status }: { status: Protection | undefined }) {
  if (status === undefined) return <p class="card quiet">It is not known yet which hours can warn others.</p>
  const compared = comparedToWords(status)
  const { fixesHeld } = status.situation
  return (
    <section class="card" aria-labelledby="reach">
      <h2 id="reach">{compared === undefined ? 'No hour can warn others yet' : `${compared} can warn others`}</h2>
      <p>
        {compared === undefined
          ? 'The central peer has no hash of this device, so nobody would learn of your report.'
          : 'Everybody who was near you in these hours, or shortly after, learns of it at the next sync.'}
      </p>
      {fixesHeld > 0 && (
        <p class="warning">
          {count(fixesHeld, 'position')} more wait until your home is known.{' '}
          <a href="#/map?pick=home">Mark your home now</a>, then sync, so that these hours warn others too.
        </p>
      )}
    </section>
  )
}

/** Formats typed text as codes are printed: upper case, in groups of four. */
function toCode(text: string): string {
  const letters = text
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .slice(0, 16)
  return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
}
