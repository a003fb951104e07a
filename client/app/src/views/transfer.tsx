/** Import of tracks and backups; export of an encrypted backup and of the diary as GeoJSON. */
import type { Tracer } from '@geotrace/client'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { useState } from 'preact/hooks'
import { recordAll } from '../session/record-all.ts'
import { refreshConsents, refreshDiary, refreshExposures } from '../session/refresh.ts'
import { consents, diary } from '../session/state.ts'
import { Rich } from '../text/rich.tsx'
import { errorText, format, later } from '../text/text.ts'
import { type Receipt, ReceiptView } from './import-receipt.tsx'
import { Town } from './town.tsx'

const NIGHTS_MS = 28 * 24 * 60 * 60_000
const PASSPHRASE_MIN = 8

interface Props {
  tracer: Tracer
  manifest: Manifest
}

export default function TransferView({ tracer, manifest }: Props) {
  return (
    <div class="page">
      <h1>{later().transfer.title}</h1>
      {manifest.demo !== undefined && <Town tracer={tracer} />}
      <Tracks tracer={tracer} />
      <Backup tracer={tracer} />
      <Diary />
    </div>
  )
}

function Tracks({ tracer }: { tracer: Tracer }) {
  const { record } = consents.value
  const { transfer: text } = later()
  const { bytes } = format()
  const [state, setState] = useState<{ bad?: boolean; text: string; receipt?: Receipt }>({ text: '' })
  async function read(file: File | undefined) {
    if (file === undefined) return
    try {
      const { importStream } = await import('@geotrace/client/importers')
      const since = Date.now() - NIGHTS_MS
      const onProgress = (done: number) => setState({ text: text.reading(bytes(done), bytes(file.size)) })
      const { fixes, receipt } = await importStream(file.name, file.stream(), { since, onProgress })
      const onRecorded = (n: number) => setState({ text: text.taking(n, fixes.length) })
      const recorded = await recordAll(tracer, fixes, onRecorded)
      const bad = fixes.length === 0
      setState({ bad, text: bad ? text.noFix : '', receipt: { file: file.name, imported: receipt, ...recorded } })
    } catch (error) {
      setState({ bad: true, text: errorText(error) })
    }
  }
  return (
    <section class="card" aria-labelledby="tracks">
      <h2 id="tracks">{text.tracks}</h2>
      <p>
        <Rich
          text={text.formats}
          parts={{
            file: (inner) => (
              <span class="mono" translate={false}>
                {inner}
              </span>
            ),
          }}
        />
      </p>
      <p>{text.window}</p>
      <label class="file">
        <span class="button">{text.choose}</span>
        {/* Without `accept`, because the file picker of iOS greys out endings that it does not know, such as .gpx. */}
        <input type="file" disabled={!record} onChange={(event) => void read(takeFile(event.currentTarget))} />
      </label>
      {!record && <p class="small">{text.noDiary}</p>}
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
  const { transfer: text } = later()
  const short = passphrase.length < PASSPHRASE_MIN
  async function save() {
    setState({ text: text.sealing })
    download(await tracer.export(passphrase), 'geotrace-backup.gtb', 'application/octet-stream')
    setState({ text: text.saved })
  }
  async function restore(file: File | undefined) {
    if (file === undefined) return
    try {
      setState({ text: text.opening })
      await tracer.import(new Uint8Array(await file.arrayBuffer()), passphrase)
      await Promise.all([refreshDiary(tracer), refreshExposures(tracer), refreshConsents(tracer)])
      setState({ text: text.restored })
    } catch (error) {
      setState({ bad: true, text: errorText(error) })
    }
  }
  return (
    <section class="card" aria-labelledby="backup">
      <h2 id="backup">{text.move}</h2>
      <p>{text.moveWhy}</p>
      <label for="passphrase">{text.passphrase(PASSPHRASE_MIN)}</label>
      <input
        id="passphrase"
        type="password"
        autocomplete="new-password"
        value={passphrase}
        onInput={(event) => setPassphrase(event.currentTarget.value)}
      />
      <div class="row buttons">
        <button type="button" disabled={short} onClick={save}>
          {text.save}
        </button>
        <label class="file">
          <span class="button" data-disabled={short}>
            {text.restore}
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
  const { transfer: text } = later()
  function save() {
    const features = entries.map(({ lat, lng, accuracyM, at, state }) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lng, lat] },
      properties: { time: new Date(at).toISOString(), accuracyM, state },
    }))
    const file = JSON.stringify({ type: 'FeatureCollection', features })
    download(new TextEncoder().encode(file), 'geotrace-diary.geojson', 'application/geo+json')
  }
  return (
    <section class="card" aria-labelledby="export">
      <h2 id="export">{text.diary}</h2>
      <p>{text.geojson(entries.length)}</p>
      <button type="button" disabled={entries.length === 0} onClick={save}>
        {text.saveGeojson}
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
