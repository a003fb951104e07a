/** The report of this device, as long as it counts and after: its stage, its advice, and taking it back. */
import { isFederationError, type OwnReport, type Tracer, type WithdrawReason } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import type { Advice } from '../exposures/advice.ts'
import { isReporting, syncing } from '../session/state.ts'
import { withdrawNow } from '../session/sync.ts'
import { errorText, format, later } from '../text/text.ts'

/** An error and a negative test end all warnings. After a recovery the warnings stay. */
const REASONS: readonly WithdrawReason[] = ['withdrawn', 'negative', 'recovered']

interface Props {
  tracer: Tracer
  advice: Advice | undefined
}

export function OwnReportCard({ tracer, advice }: Props) {
  const { last } = syncing.value
  const [own, setOwn] = useState<OwnReport | undefined>(undefined)
  const [said, setSaid] = useState('')
  const { ownReport: text } = later()
  const read = () => void tracer.ownReport().then(setOwn)
  useEffect(read, [last])
  async function withdraw(reason: WithdrawReason) {
    try {
      await withdrawNow(reason)
      setSaid(text.withdrawn)
    } catch (error) {
      // The withdrawal is kept and goes with the next sync.
      setSaid(isFederationError(error) ? text.kept : errorText(error))
    }
    read()
  }
  if (own === undefined) return null
  const isOver = own.stage === 'withdrawn' || own.stage === 'ended'
  return (
    <section class={isOver ? 'card quiet' : 'card calm'} aria-labelledby="own-report">
      <h2 id="own-report">{text.title(format().day(own.at))}</h2>
      <p>{text.stages[own.stage]}</p>
      {!isOver && advice !== undefined && (
        <div lang={advice.language}>
          <h3>{advice.reported.title}</h3>
          <ul>
            {advice.reported.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        </div>
      )}
      {!isOver && (
        <details>
          <summary>{text.takeBack}</summary>
          <p class="small">{text.takeBackWhy}</p>
          <div class="row buttons">
            {REASONS.map((reason) => (
              <button key={reason} type="button" disabled={isReporting.value} onClick={() => void withdraw(reason)}>
                {text.reasons[reason]}
              </button>
            ))}
          </div>
        </details>
      )}
      <p role="status">{said}</p>
    </section>
  )
}
