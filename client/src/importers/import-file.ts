/**
 * Reads track files. Files named .geojson and .json may hold ten years of a phone's history, so they are read as they arrive;
 * all others are read whole. The event loop gets a turn between the parts of a file. Throws IMPORT_INVALID, ABORTED.
 */
import { bytesToContent, type Content, HEAD_BYTES } from './content.ts'
import { readCsv } from './csv.ts'
import { importInvalid } from './import-error.ts'
import { Intake } from './intake.ts'
import { jsonTrackReader } from './json/tracks.ts'
import { readPlt } from './plt.ts'
import type { ImportResult } from './receipt.ts'
import { readXml } from './xml/tracks.ts'

/** Four months of one fix a second as CSV. Every JavaScript engine can hold a text twice as long. */
const BYTES_MAX = 256 * 1024 * 1024
/** Bytes of JSON between two turns of the event loop: about 20 ms of work (Node 20, 2 vCPU, November 2026). */
const JSON_BYTES_PER_TURN = 128 * 1024

const READERS = new Map<string, (text: string, intake: Intake) => Promise<void>>([
  ['plt', readPlt],
  ['gpx', readXml],
  ['kml', readXml],
  ['tcx', readXml],
  ['csv', readCsv],
  ['tsv', readCsv],
])
const JSON_ENDINGS = ['geojson', 'json']
const FIT_ENDING = 'fit'

export interface ImportOptions {
  /** Unix ms; older fixes are left out. Home is learnt from the nights of the last 28 days only. */
  since?: number
  signal?: AbortSignal
  /** Bytes read so far. */
  onProgress?: (bytes: number) => void
}

/** True when the name ends like a track file. */
export function isTrackFile(name: string): boolean {
  const ending = nameToEnding(name)
  return READERS.has(ending) || JSON_ENDINGS.includes(ending) || ending === FIT_ENDING
}

/**
 * The fixes of a file, oldest first, and the receipt: entries = kept + left out. Record the fixes with `{ imported: true }`.
 * Throws IMPORT_INVALID { line, reason, file } when no entry or fewer than half of the entries can be used; ABORTED.
 */
export async function importFile(
  name: string,
  content: string | Uint8Array,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return importChunks(name, [bytes], options)
}

/** Like `importFile`, for a file of any size: `importStream(file.name, file.stream())`. */
export async function importStream(
  name: string,
  stream: ReadableStream<Uint8Array>,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const reader = stream.getReader()
  async function* chunks(): AsyncGenerator<Uint8Array> {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  }
  try {
    return await importChunks(name, chunks(), options)
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

async function importChunks(
  file: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { since = Number.NEGATIVE_INFINITY, signal, onProgress }: ImportOptions,
): Promise<ImportResult> {
  if (!isTrackFile(file)) {
    const endings = '.gpx, .geojson, .json, .csv, .tsv, .kml, .tcx, .fit and .plt'
    throw importInvalid(0, `only files named ${endings} are understood; choose one of these`, { file, noTrack: true })
  }
  const intake = new Intake({ file, since, signal })
  const reader = new FileReader(nameToEnding(file), intake)
  let bytes = 0
  for await (const chunk of chunks) {
    intake.throwIfAborted()
    bytes += chunk.length
    onProgress?.(bytes)
    await reader.write(chunk)
  }
  await reader.end()
  return intake.finish('the file has no track; choose a file with recorded positions')
}

/** Collects the first bytes, decides what they are, and passes the file to the reader of its kind. */
class FileReader {
  readonly #ending: string
  readonly #intake: Intake
  #head = new Uint8Array(0)
  #sink: Sink | undefined

  constructor(ending: string, intake: Intake) {
    this.#ending = ending
    this.#intake = intake
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#sink !== undefined) return this.#sink.write(chunk)
    this.#head = join([this.#head, chunk])
    if (this.#head.length >= HEAD_BYTES) await this.#open()
  }

  async end(): Promise<void> {
    if (this.#head.length === 0) throw this.#intake.invalid(0, EMPTY)
    if (this.#sink === undefined) await this.#open()
    await this.#sink!.end()
  }

  async #open(): Promise<void> {
    this.#sink = toSink(bytesToContent(this.#head), this.#ending, this.#intake)
    await this.#sink.write(this.#head)
  }
}

interface Sink {
  write(chunk: Uint8Array): Promise<void> | void
  end(): Promise<void>
}

const EMPTY = 'the file is empty; choose another file'

function toSink(content: Content, ending: string, intake: Intake): Sink {
  if (content.kind === 'other') throw intake.invalid(0, `this is ${content.name}`, { noTrack: true })
  if (content.kind === 'fit') return fitSink(intake)
  if (ending === FIT_ENDING) {
    throw intake.invalid(0, 'this is no FIT file; copy the activity from the device again', { noTrack: true })
  }
  const decoder = new TextDecoder(content.encoding)
  return JSON_ENDINGS.includes(ending) ? jsonSink(decoder, intake) : textSink(decoder, READERS.get(ending)!, intake)
}

function jsonSink(decoder: TextDecoder, intake: Intake): Sink {
  const reader = jsonTrackReader(intake)
  const encoder = new TextEncoder()
  let blank = true
  async function write(text: string): Promise<void> {
    if (text.trim() !== '') blank = false
    const bytes = encoder.encode(text)
    for (let from = 0; from < bytes.length; from += JSON_BYTES_PER_TURN) {
      reader.write(bytes.subarray(from, from + JSON_BYTES_PER_TURN))
      if (bytes.length > JSON_BYTES_PER_TURN || intake.isTurnDue) await intake.turn()
    }
  }
  return {
    write: (chunk) => write(decoder.decode(chunk, { stream: true })),
    async end() {
      await write(decoder.decode())
      if (blank) throw intake.invalid(0, EMPTY)
      reader.end()
    },
  }
}

function textSink(decoder: TextDecoder, read: (text: string, intake: Intake) => Promise<void>, intake: Intake): Sink {
  const parts: string[] = []
  const sizes = sizeLimit(intake)
  return {
    write(chunk) {
      sizes.add(chunk)
      parts.push(decoder.decode(chunk, { stream: true }))
    },
    async end() {
      const text = parts.join('') + decoder.decode()
      if (text.trim() === '') throw intake.invalid(0, EMPTY)
      await read(text, intake)
    },
  }
}

function fitSink(intake: Intake): Sink {
  const chunks: Uint8Array[] = []
  const sizes = sizeLimit(intake)
  return {
    write(chunk) {
      sizes.add(chunk)
      chunks.push(chunk)
    },
    async end() {
      const { readFit } = await import('./fit.ts')
      await readFit(join(chunks), intake)
    },
  }
}

function sizeLimit(intake: Intake) {
  let bytes = 0
  return {
    add(chunk: Uint8Array): void {
      bytes += chunk.length
      if (bytes > BYTES_MAX) throw intake.invalid(0, 'the file is larger than 256 MiB; split it')
    },
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

function nameToEnding(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}
