/** Report codes: order a batch, show the codes once, look one up, list and revoke batches. */

import { useState } from 'preact/hooks'
import encodeQR from 'qr'
import { type CodeBatch, type CodeOrder, type CodeStatus, type IssuedCodes, type Me, post } from '../control.ts'
import { Ask, Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, day, minute } from '../words.ts'

/** More codes go to a file: geotrace codes issue --csv. */
const CODES_MAX = 100

export function CodesView({ me }: { me: Me }) {
  const { value, fault, readAgain } = usePolled<{ batches: CodeBatch[] }>('/codes')
  const canIssue = me.role !== 'auditor'
  return (
    <>
      {canIssue && <Issue onIssued={readAgain} />}
      {canIssue && <LookUp />}
      <h2>Batches</h2>
      {fault !== undefined && <p class="notice alarm">{fault.message}</p>}
      {value !== undefined && <Batches batches={value.batches} canRevoke={canIssue} readAgain={readAgain} />}
    </>
  )
}

function Issue({ onIssued }: { onIssued(): void }) {
  const [issued, setIssued] = useState<IssuedCodes | undefined>(undefined)
  const [said, setSaid] = useState('')
  const issue = async (event: SubmitEvent) => {
    event.preventDefault()
    setSaid('')
    try {
      setIssued(await post<IssuedCodes>('/codes', toOrder(new FormData(event.target as HTMLFormElement))))
      onIssued()
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'failed')
    }
  }
  if (issued !== undefined) return <Issued issued={issued} onDone={() => setIssued(undefined)} />
  return (
    <form class="panel" onSubmit={(event) => void issue(event)}>
      <h2>Issue codes</h2>
      <div class="fields">
        <label>
          Number of codes
          <input name="count" type="number" defaultValue="1" min="1" max={CODES_MAX} />
        </label>
        <label>
          Valid for days
          <input name="days" type="number" defaultValue="1" min="1" max="30" />
        </label>
        <label>
          Label of the batch (never a person)
          <input name="label" type="text" maxLength={40} autocomplete="off" />
        </label>
        <label>
          First symptoms
          <input name="onset" type="date" />
        </label>
        <label>
          Day of the test
          <input name="testedAt" type="date" />
        </label>
      </div>
      <button type="submit" class="main">
        Issue
      </button>
      <p class="quiet">
        Hand a code over in person or by letter, never by a link. It warns people, so it needs a test result.
      </p>
      {said !== '' && <p role="alert">{said}</p>}
    </form>
  )
}

function toOrder(form: FormData): Partial<CodeOrder> {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const [label, onset, testedAt] = ['label', 'onset', 'testedAt'].map(text)
  return {
    count: Number(text('count')),
    days: Number(text('days')),
    ...(label && { label }),
    ...(onset && { onset: Date.parse(onset) }),
    ...(testedAt && { testedAt: Date.parse(testedAt) }),
  }
}

function Issued({ issued, onDone }: { issued: IssuedCodes; onDone(): void }) {
  return (
    <section class="panel" aria-labelledby="issued">
      <h2 id="issued">
        {issued.codes.length === 1 ? 'One code, shown once' : `${issued.codes.length} codes, shown once`}
      </h2>
      <p>
        Batch {issued.batch}, valid until {minute(issued.expiresAt)}. The app scans the picture, or takes the letters.
      </p>
      <ul class="issued">
        {issued.codes.map((code) => (
          <li key={code}>
            <Qr text={code} />
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="row">
        <button type="button" onClick={() => print()}>
          Print
        </button>
        <button type="button" class="main" onClick={onDone}>
          Done
        </button>
      </div>
    </section>
  )
}

/** Two modules of quiet space around the code, white in dark mode too, because cameras expect dark on light. */
function Qr({ text }: { text: string }) {
  const modules = encodeQR(text, 'raw', { border: 2 })
  const path = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
  return (
    <svg class="qr" viewBox={`0 0 ${modules.length} ${modules.length}`} role="img" aria-label={`QR code of ${text}`}>
      <path d={path.join('')} />
    </svg>
  )
}

function LookUp() {
  const [status, setStatus] = useState<CodeStatus | undefined>(undefined)
  const [code, setCode] = useState('')
  const [said, setSaid] = useState('')
  const look = async (event: SubmitEvent) => {
    event.preventDefault()
    setSaid('')
    setStatus(undefined)
    try {
      setStatus(await post<CodeStatus>('/codes/status', { code }))
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'failed')
    }
  }
  return (
    <form class="panel" onSubmit={(event) => void look(event)}>
      <h2>Look a code up</h2>
      <label>
        Report code
        <input
          value={code}
          onInput={(event) => setCode(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <button type="submit">Show its status</button>
      {said !== '' && <p role="alert">{said}</p>}
      {status !== undefined && (
        <div role="status">
          <p>
            <strong>{status.state}</strong>
            {status.report !== undefined && `, report ${status.report}`}. Issued {minute(status.issuedAt)}
            {status.worker !== undefined && ` by ${status.worker}`}, expires {minute(status.expiresAt)}.
            {status.from !== undefined && ` Infectious from ${day(status.from)}`}
            {status.until !== undefined && ` until ${day(status.until)}`}
          </p>
          {status.state === 'open' && (
            <Ask
              label="Revoke"
              question="Revoke this code?"
              danger
              act={async () => {
                await post('/codes/revoke', { code })
                setStatus({ ...status, state: 'revoked' })
              }}
            />
          )}
        </div>
      )}
    </form>
  )
}

interface BatchesProps {
  batches: readonly CodeBatch[]
  canRevoke: boolean
  readAgain(): void
}

function Batches({ batches, canRevoke, readAgain }: BatchesProps) {
  if (batches.length === 0) return <p class="quiet">No code yet.</p>
  const head = ['Batch', 'label', 'issued', 'by', 'expires', 'open', 'spent', 'expired', 'revoked', 'end']
  return (
    <Table name="Batches of codes" head={canRevoke ? head : head.slice(0, -1)}>
      {batches.map(({ batch, label, issuedAt, worker, expiresAt, ...counts }) => (
        <tr key={batch}>
          <th scope="row">
            <code>{batch}</code>
          </th>
          <td>{label}</td>
          <td>{minute(issuedAt)}</td>
          <td>{worker}</td>
          <td>{minute(expiresAt)}</td>
          {([counts.open, counts.spent, counts.expired, counts.revoked] as const).map((value, i) => (
            <td key={head[i + 5]} class="number">
              {count(value)}
            </td>
          ))}
          {canRevoke && (
            <td>
              {counts.open > 0 && (
                <Ask
                  label="Revoke"
                  question={`Revoke ${count(counts.open)} open codes of batch ${batch}?`}
                  danger
                  act={() => post('/codes/revoke-batch', { batch }).then(readAgain)}
                />
              )}
            </td>
          )}
        </tr>
      ))}
    </Table>
  )
}
