/** Reporting a positive test: the code, typed or scanned, the consent, and the outcome. */
import '../styles/report.css'
import { parseReportCode, type Tracer } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { consents, refreshConsents, syncing, syncNow } from '../session.ts'
import { errorToWords } from '../words.ts'
import { useAdvice } from './exposures.tsx'
import { Scanner } from './scanner.tsx'

export function ReportView({ tracer }: { tracer: Tracer }) {
  const { running } = syncing.value
  const { deposit } = consents.value
  const [code, setCode] = useState('')
  const [agreed, setAgreed] = useState(false)
  const [outcome, setOutcome] = useState<{ good: boolean; text: string } | undefined>(undefined)
  const advice = useAdvice()

  async function report(event: Event) {
    event.preventDefault()
    setOutcome(undefined)
    try {
      parseReportCode(code)
      await tracer.consent.give('report')
      await refreshConsents()
      await syncNow(code)
      setOutcome({ good: true, text: 'Reported.' })
      setCode('')
      setAgreed(false)
    } catch (error) {
      setOutcome({ good: false, text: errorToWords(error) })
    }
  }

  return (
    <div class="page narrow">
      <h1>Report a positive test</h1>
      <p class="lead">
        With the code that the health authority gave you. Those who were near you learn where and when they met
        somebody, not whom.
      </p>
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
          I agree that the hashes of the last days are compared with those of others. No place, no name and no number
          goes with them.
        </label>
        <button type="submit" class="primary large" disabled={running || !deposit || !agreed}>
          {running ? 'Reporting …' : 'Report'}
        </button>
        {!deposit && <p class="small">Reporting needs your agreement to deposits, in the settings.</p>}
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
      <p class="small">On the network a report looks like any other sync: same size, same rhythm, same peers.</p>
    </div>
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
