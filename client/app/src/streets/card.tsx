/** The card of the settings with which a person adds a map file, from the device or from the authority, or removes it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { readQuery } from '../query.ts'
import { format, later } from '../text/text.ts'
import { areStreetsAdded, noteStreets } from './added.ts'
import type { MapFileProblem, Streets } from './street-map.ts'

const AUTHORITY_FILE = '/basemap.pmtiles'

/** Loaded only for a person who has or adds a map file. */
const load = () => import('./street-map.ts')

type State =
  | { kind: 'resting'; problem?: MapFileProblem | 'none' | 'offline' }
  | { kind: 'copying' }
  | { kind: 'fetching'; bytes: number }

export function StreetsCard() {
  const [streets, setStreets] = useState<Streets | undefined>(undefined)
  const [offered, setOffered] = useState<number | undefined>(undefined)
  const [state, setState] = useState<State>({ kind: 'resting' })
  const card = useRef<HTMLElement>(null)
  const { settings: text } = later()
  const { megabytes } = format()

  useEffect(() => {
    if (readQuery().get('help') === 'streets') card.current?.scrollIntoView()
    if (areStreetsAdded())
      load()
        .then(({ openStreets }) => openStreets())
        .then(setStreets, fail)
  }, [])

  function fail(error: unknown) {
    const isOfFile = error instanceof Error && 'problem' in error
    setState({ kind: 'resting', problem: isOfFile ? (error.problem as MapFileProblem) : 'offline' })
  }

  async function add(file: () => Promise<Blob>) {
    try {
      const blob = await file()
      setState({ kind: 'copying' })
      setStreets(await (await load()).addStreets(blob))
      noteStreets(true)
      setState({ kind: 'resting' })
    } catch (error) {
      fail(error)
    }
  }

  /** The size comes first, because such a file may be large. */
  async function ask() {
    try {
      const { ok, headers } = await fetch(AUTHORITY_FILE, { method: 'HEAD' })
      const bytes = Number(headers.get('content-length'))
      if (ok && bytes > 0) setOffered(bytes)
      setState(ok && bytes > 0 ? { kind: 'resting' } : { kind: 'resting', problem: 'none' })
    } catch (error) {
      fail(error)
    }
  }

  async function remove() {
    await (await load()).removeStreets()
    noteStreets(false)
    setStreets(undefined)
    setState({ kind: 'resting' })
  }

  const isBusy = state.kind !== 'resting'
  return (
    <section class="card" aria-labelledby="streets" ref={card}>
      <h2 id="streets">{text.streets}</h2>
      <p>{text.streetsWhy}</p>
      <p role="status">
        {state.kind === 'copying' && text.streetsCopying}
        {state.kind === 'fetching' && text.streetsFetching(megabytes(state.bytes / 1e6))}
        {!isBusy && streets !== undefined && toStateText(streets)}
      </p>
      {state.kind === 'resting' && state.problem !== undefined && (
        <p role="alert" class="warning">
          {text.streetsProblems[state.problem]}
        </p>
      )}
      <div class="row buttons">
        <label class="file">
          <span class="button" data-disabled={isBusy}>
            {text.streetsChoose}
          </span>
          {/* Without `accept`, because the file picker of iOS greys out endings that it does not know. */}
          <input
            type="file"
            disabled={isBusy}
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? []
              if (file !== undefined) void add(async () => file)
              event.currentTarget.value = ''
            }}
          />
        </label>
        {offered === undefined ? (
          <button type="button" disabled={isBusy} onClick={() => void ask()}>
            {text.streetsAsk}
          </button>
        ) : (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => void add(() => fetchWhole((bytes) => setState({ kind: 'fetching', bytes })))}
          >
            {text.streetsFetch(megabytes(offered / 1e6))}
          </button>
        )}
        {streets !== undefined && (
          <button type="button" disabled={isBusy} onClick={() => void remove()}>
            {text.streetsRemove}
          </button>
        )}
      </div>
    </section>
  )
}

function toStateText({ bytes, isKept, isDamaged }: Streets): string {
  const { settings: text } = later()
  const size = format().megabytes(bytes / 1e6)
  const state = isKept ? text.streetsKept(size) : text.streetsOnce(size)
  return isDamaged ? `${state} ${text.streetsDamaged}` : state
}

/** The whole file in one request, because requests for pieces would tell the server where somebody looks. */
async function fetchWhole(onBytes: (bytes: number) => void): Promise<Blob> {
  const { ok, body } = await fetch(AUTHORITY_FILE)
  if (!ok || body === null) throw new TypeError('the map file of the authority cannot be fetched')
  let bytes = 0
  const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.length
      onBytes(bytes)
      controller.enqueue(chunk)
    },
  })
  return new Response(body.pipeThrough(counting)).blob()
}
