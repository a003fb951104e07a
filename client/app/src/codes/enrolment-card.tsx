/**
 * The card of the settings for tokens: whether this device is enrolled, and the code that enrols it. `#/settings?enrol=CODE`
 * fills the field. A browser sends the part after `#` to nobody.
 */
import { isFederationError, type TokenStatus, type Tracer } from '@geotrace/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { readQuery } from '../query.ts'
import { refreshProtection } from '../session/refresh.ts'
import { errorText, format, later } from '../text/text.ts'
import { CodeField, toCode } from './field.tsx'

/** The code stays good after these. */
const PASSING = ['PEER_UNREACHABLE', 'PEER_TIMEOUT', 'BUSY', 'QUOTA_SPENT'] as const

export function EnrolmentCard({ tracer }: { tracer: Tracer }) {
  const linked = toCode(readQuery().get('enrol') ?? '')
  const [status, setStatus] = useState<TokenStatus | undefined>(undefined)
  const [code, setCode] = useState(linked)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState('')
  const card = useRef<HTMLElement>(null)
  const { tokens: text } = later()

  useEffect(() => {
    tracer
      .tokens()
      .then((control) => control.status())
      .then(setStatus, (error: unknown) => setFailed(toFailure(error)))
  }, [])
  useEffect(() => {
    if (linked !== '' || readQuery().get('help') === 'tokens') card.current?.scrollIntoView()
  }, [status?.isOffered])

  async function enrol(event: Event) {
    event.preventDefault()
    setBusy(true)
    setFailed('')
    try {
      setStatus(await (await tracer.tokens()).enrol(code))
      setCode('')
    } catch (error) {
      setFailed(toFailure(error))
    }
    await refreshProtection(tracer)
    setBusy(false)
  }

  if (status?.isOffered === false) return null
  return (
    <section class="card" aria-labelledby="tokens" ref={card}>
      <h2 id="tokens">{text.title}</h2>
      <p>{text.why}</p>
      <p role="status">{status !== undefined && toStateText(status)}</p>
      {status?.isEnrolled === false && (
        <form onSubmit={enrol}>
          <CodeField id="enrolment-code" label={text.code} code={code} onCode={setCode} />
          <button type="submit" disabled={busy}>
            {busy ? text.enrolling : text.enrol}
          </button>
        </form>
      )}
      <div role="alert" class="enrolment-answer">
        {failed !== '' && <p class="warning">{failed}</p>}
      </div>
    </section>
  )
}

function toStateText({ isEnrolled, today, tomorrow, dueAt }: TokenStatus): string {
  const { tokens: text } = later()
  if (!isEnrolled) return text.notEnrolled
  const next = dueAt === undefined || dueAt <= Date.now() ? text.soon : text.next(format().relative(dueAt, Date.now()))
  return `${text.enrolled(today, tomorrow)} ${next}`
}

function toFailure(error: unknown): string {
  const { refused, again } = later().tokens
  if (isFederationError(error, 'TOKEN_REFUSED')) return refused
  return PASSING.some((code) => isFederationError(error, code)) ? again : errorText(error)
}
