/** Reports with their stages, and the decisions about them: try, publish, reject, retract, restore. */
import { useState } from 'preact/hooks'
import { type Me, post, type ReportOutcome, type ReviewDecision, type RiskSummary } from '../control.ts'
import { Ask, Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, day, minute, plural, span } from '../words.ts'

/** The decisions that a stage allows (central/review/report-review.ts). */
const DECISIONS: Readonly<Record<ReportOutcome['stage'], readonly ReviewDecision[]>> = {
  held: ['publish', 'reject'],
  computing: ['retract'],
  published: ['retract'],
  ended: ['retract'],
  rejected: ['restore'],
  retracted: ['restore'],
  withdrawn: [],
}
const LABELS = { publish: 'Publish', reject: 'Reject', retract: 'Retract', restore: 'Restore' } as const
const HOLDERS = { review: 'waits for review', breaker: 'stopped by the circuit breaker', bound: 'too large to compute' }

export function ReportsView({ me }: { me: Me }) {
  const { value, fault, readAgain } = usePolled<{ reports: ReportOutcome[] }>('/reports')
  if (value === undefined) return <p class="quiet">{fault?.message ?? 'Reading …'}</p>
  const reports = [...value.reports].sort((a, b) => b.id - a.id)
  return (
    <>
      {fault !== undefined && <p class="notice alarm">{fault.message}</p>}
      <p class="quiet">
        {me.role === 'case-worker' ? 'Reports with codes that you issued. ' : ''}
        No report names a person. A device sees a decision with its next sync.
      </p>
      {reports.length === 0 && <p>No report yet.</p>}
      <div class="reports">
        {reports.map((report) => (
          <Report key={report.id} report={report} me={me} readAgain={readAgain} />
        ))}
      </div>
      {reports.length > 0 && <AllReports reports={reports} />}
    </>
  )
}

function Report({ report, me, readAgain }: { report: ReportOutcome; me: Me; readAgain(): void }) {
  const { id, at, from, until, testedAt, stage, heldBy, people, publishedAt, batch, reason } = report
  const [trial, setTrial] = useState<RiskSummary | undefined>(undefined)
  const [said, setSaid] = useState('')
  const attempt = () =>
    post<RiskSummary>('/dry-run', { report: id }).then(setTrial, (error: Error) => setSaid(error.message))
  const allowed = DECISIONS[stage].filter(
    (decision) => me.role === 'admin' || (me.role === 'case-worker' && decision === 'retract'),
  )
  return (
    <article class={stage === 'held' ? 'panel waits' : 'panel'} aria-labelledby={`report-${id}`}>
      <h2 id={`report-${id}`}>
        Report {count(id)} <span class={`stage ${stage}`}>{stage}</span>
      </h2>
      {heldBy !== undefined && <p>{HOLDERS[heldBy]}</p>}
      {reason !== undefined && <p>Reason: {reason}</p>}
      <p>
        Reported {minute(at)}. Counts encounters from {day(from)} to {day(until)}
        {testedAt !== undefined && `, tested ${day(testedAt)}`}
        {batch !== undefined && `, batch ${batch}`}.
      </p>
      <p>
        <strong>{plural(report.marked, 'person', 'people')} marked</strong>
        {people !== undefined && people.length > 0 && `: ${byDegree(people)}`}
        {publishedAt !== undefined && `. Marks ${span(publishedAt - at)} after the report`}.
      </p>
      {trial !== undefined && (
        <p role="status">
          Would mark {trial.degrees.length === 0 ? 'nobody' : byDegree(trial.degrees)}, {plural(trial.marks, 'mark')}.
          {trial.capped && ' A bound was reached, so further people may be at risk.'}
        </p>
      )}
      {said !== '' && <p role="alert">{said}</p>}
      <div class="row">
        {me.role === 'admin' && (
          <button type="button" onClick={() => void attempt()}>
            Try
          </button>
        )}
        {allowed.map((decision) => (
          <Ask
            key={decision}
            label={LABELS[decision]}
            question={`${LABELS[decision]} report ${id}, which marks ${plural(report.marked, 'person', 'people')} now?`}
            // The line above the buttons then says how many people it would mark.
            {...(decision === 'publish' || decision === 'restore' ? { onAsk: () => void attempt() } : {})}
            danger={decision === 'retract' || decision === 'reject'}
            hasReason={decision === 'retract' || decision === 'reject'}
            act={(reason) => post(`/reports/${decision}`, { report: id, ...(reason && { reason }) }).then(readAgain)}
          />
        ))}
      </div>
    </article>
  )
}

function byDegree(people: readonly number[]): string {
  return people.map((value, i) => `${count(value)} at degree ${i + 1}`).join(', ')
}

function AllReports({ reports }: { reports: readonly ReportOutcome[] }) {
  return (
    <details>
      <summary>The same as a table</summary>
      <Table name="Reports" head={['Report', 'reported', 'stage', 'marked']}>
        {reports.map(({ id, at, stage, marked }) => (
          <tr key={id}>
            <th scope="row">{count(id)}</th>
            <td>{minute(at)}</td>
            <td>{stage}</td>
            <td class="number">{count(marked)}</td>
          </tr>
        ))}
      </Table>
    </details>
  )
}
