/** Import of tracks and backups; export of an encrypted backup and of the diary as GeoJSON. */
import type { Tracer } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { useState } from 'preact/hooks'
import { recordAll } from '../session/record-all.ts'
import { refreshConsents, refreshDiary, refreshExposures } from '../session/refresh.ts'
import { consents, diary } from '../session/state.ts'
import { bytes, count, errorToWords } from '../words.ts'
import { type Receipt, ReceiptView } from './import-receipt.tsx'
import { Town } from './town.tsx'

const NIGHTS_MS = 28 * 24 * 60 * 60_000
const PASSPHRASE_MIN = 8

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export function TransferView({ tracer, manifest }: Props) {
  return (
    <div class="page">
      <h1>Import &amp; export</h1>
      {manifest.demo !== undefined && <Town tracer={tracer} />}
      <Tracks tracer={tracer} />
      <Backup tracer={tracer} />
      <Diary />
    </div>
  )
}

function Tracks({ tracer }: { tracer: Tracer }) {
  const { record } = consents.value
  const [state, setState] = useState<{ bad?: boolean; text: string; receipt?: Receipt }>({ text: '' })
  async function read(file: File | undefined) {
    if (file === undefined) return
    try {
      const { importStream } = await import('@geotrace/client/importers')
      const since = Date.now() - NIGHTS_MS
      const onProgress = (done: number) => setState({ text: `Reading … ${bytes(done)} of ${bytes(file.size)}` })
      const { fixes, receipt } = await importStream(file.name, file.stream(), { since, onProgress })
      const onRecorded = (n: number) => setState({ text: `Taking ${n} of ${fixes.length} …` })
      const recorded = await recordAll(tracer, fixes, onRecorded)
      const bad = fixes.length === 0
      const text = bad ? 'The file has no fix of the last 28 days.' : ''
      setState({ bad, text, receipt: { file: file.name, imported: receipt, ...recorded } })
    } catch (error) {
      setState({ bad: true, text: errorToWords(error) })
    }
  }
  return (
    <section class="card" aria-labelledby="tracks">
      <h2 id="tracks">Tracks of other apps</h2>
      <p>
        GPX, KML, TCX, FIT, GeoJSON with times, CSV, Geolife, and Google’s location history (
        <span class="mono">Records.json</span>, <span class="mono">Timeline.json</span>). The last three hours can still
        be matched; older nights teach this device where your home is. The file stays here.
      </p>
      <label class="file">
        <span class="button">Choose a file</span>
        {/* Without `accept`, because the file picker of iOS greys out endings that it does not know, such as .gpx. */}
        <input type="file" disabled={!record} onChange={(event) => void read(takeFile(event.currentTarget))} />
      </label>
      {!record && <p class="small">You have not agreed to a diary yet.</p>}
      <div role="status">
        <p class={state.bad ? 'warning' : ''}>{state.text}</p>
        {state.receipt !== undefined && <ReceiptView {...state.receipt} />}
      </div>
    </section>
  )
}

function Backup({ tracer }: { tracer: Tracer }) {
  const [passphrase, setPassphrase] = useState('')
  const [state, setState] = useState<{ bad?: boolean; text: string }>({ text: '' })
  const short = passphrase.length < PASSPHRASE_MIN
  async function save() {
    setState({ text: 'Sealing …' })
    download(await tracer.export(passphrase), 'geotrace-backup.gtb', 'application/octet-stream')
    setState({ text: 'Saved. Without the passphrase nobody can open it, not even you.' })
  }
  async function restore(file: File | undefined) {
    if (file === undefined) return
    try {
      setState({ text: 'Opening …' })
      await tracer.import(new Uint8Array(await file.arrayBuffer()), passphrase)
      await Promise.all([refreshDiary(tracer), refreshExposures(tracer), refreshConsents(tracer)])
      setState({ text: 'This device has everything from the backup. Stop using the old device.' })
    } catch (error) {
      setState({ bad: true, text: errorToWords(error) })
    }
  }
  return (
    <section class="card" aria-labelledby="backup">
      <h2 id="backup">Move to a new device</h2>
      <p>One file with everything, encrypted under a passphrase.</p>
      <label for="passphrase">Passphrase, at least {PASSPHRASE_MIN} characters</label>
      <input
        id="passphrase"
        type="password"
        autocomplete="new-password"
        value={passphrase}
        onInput={(event) => setPassphrase(event.currentTarget.value)}
      />
      <div class="row buttons">
        <button type="button" disabled={short} onClick={save}>
          Save a backup
        </button>
        <label class="file">
          <span class="button" data-disabled={short}>
            Restore a backup
          </span>
          <input
            type="file"
            accept=".gtb"
            disabled={short}
            onChange={(event) => void restore(takeFile(event.currentTarget))}
          />
        </label>
      </div>
      <p role="status" class={state.bad ? 'warning' : ''}>
        {state.text}
      </p>
    </section>
  )
}

function Diary() {
  const entries = diary.value
  function save() {
    const features = entries.map(({ lat, lng, accuracyM, at, state }) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lng, lat] },
      properties: { time: new Date(at).toISOString(), accuracyM, state },
    }))
    const text = JSON.stringify({ type: 'FeatureCollection', features })
    download(new TextEncoder().encode(text), 'geotrace-diary.geojson', 'application/geo+json')
  }
  return (
    <section class="card" aria-labelledby="export">
      <h2 id="export">Your diary</h2>
      <p>
        {count(entries.length, 'fix', 'fixes')} as GeoJSON, readable by any map program, and by anybody who finds the
        file.
      </p>
      <button type="button" disabled={entries.length === 0} onClick={save}>
        Save as GeoJSON
      </button>
    </section>
  )
}

/** Empties the field. Otherwise choosing the same file again, with another passphrase, would raise no event. */
function takeFile(field: HTMLInputElement): File | undefined {
  const file = field.files?.[0]
  field.value = ''
  return file
}

function download(content: Uint8Array, name: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
