/** Reporting a positive test: a code typed or scanned, a last look at what it does, and the outcome. */
import { parseReportCode, type Tracer } from '@geotrace/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useValue } from '../observable.ts'
import { consents, refreshConsents, syncing, syncNow } from '../session.ts'
import { errorToWords } from '../words.ts'
import { useAdvice } from './exposures.tsx'

export function ReportView({ tracer }: { tracer: Tracer }) {
  const { running } = useValue(syncing)
  const { deposit } = useValue(consents)
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
          Sixteen letters and digits. O and 0, I and 1 are taken for each other.
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
      <p class="small">On the wire a report cannot be told from any other sync: same size, same rhythm, same peers.</p>
    </div>
  )
}

/** Upper case in groups of four, as it is printed. */
function toCode(text: string): string {
  const letters = text
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .slice(0, 16)
  return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
}

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>
}
type DetectorClass = new (options: { formats: string[] }) => Detector

const SCAN_MS = 250
/** A QR code of the authority holds the code itself, alone or at the end of an address. */
const CODE = /([0-9A-Z]{4}-?){4}$/i

/** The camera, where the browser reads QR codes by itself (Chrome on Android, Safari on request); nothing elsewhere. */
function Scanner({ onCode }: { onCode: (code: string) => void }) {
  const Detector = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector
  const [open, setOpen] = useState(false)
  const [failed, setFailed] = useState<string | undefined>(undefined)
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (!open || Detector === undefined) return
    let stream: MediaStream | undefined
    let timer = 0
    let ended = false
    const detector = new Detector({ formats: ['qr_code'] })
    const look = async () => {
      const found = video.current === null ? [] : await detector.detect(video.current).catch(() => [])
      const code = found.map(({ rawValue }) => CODE.exec(rawValue)?.[0]).find((text) => text !== undefined)
      if (code !== undefined) {
        onCode(code)
        setOpen(false)
      } else if (!ended) timer = window.setTimeout(look, SCAN_MS)
    }
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then(
      async (own) => {
        stream = own
        if (ended || video.current === null) {
          for (const track of own.getTracks()) track.stop()
          return
        }
        video.current.srcObject = own
        await video.current.play()
        void look()
      },
      () => setFailed('The camera cannot be used. Please type the code.'),
    )
    return () => {
      ended = true
      clearTimeout(timer)
      for (const track of stream?.getTracks() ?? []) track.stop()
    }
  }, [open])
  if (Detector === undefined) return null
  return (
    <div class="scanner">
      <button type="button" onClick={() => setOpen(!open)}>
        {open ? 'Stop the camera' : 'Scan a QR code'}
      </button>
      {open && <video ref={video} muted playsInline aria-label="The camera" />}
      {failed !== undefined && <p class="warning">{failed}</p>}
    </div>
  )
}
