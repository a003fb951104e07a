/**
 * Reads track files by the ending of their name. Files named .plt (Geolife), .gpx, .csv and .tsv are read whole. Files named
 * .geojson and .json may hold ten years of a phone's history, so they are read as they arrive. Throws IMPORT_INVALID, ABORTED.
 */
import { FederationError, type Fix } from '@geotrace/core-wasm'
import { csvToFixes } from './csv.ts'
import { gpxToFixes } from './gpx.ts'
import { importInvalid } from './import-error.ts'
import { jsonToFixes, jsonTrackReader } from './json-tracks.ts'
import { pltToFixes } from './plt.ts'

/** Four months of one fix a second as CSV. Every JavaScript engine can hold a text twice as long. */
const CHARACTERS_MAX = 256 * 1024 * 1024
/** Ten years of one fix a minute, 0.5 GB of memory. */
const FIXES_MAX = 5_000_000

const READERS = new Map<string, (text: string) => Fix[]>([
  ['plt', pltToFixes],
  ['gpx', gpxToFixes],
  ['csv', csvToFixes],
  ['tsv', csvToFixes],
  ['geojson', jsonToFixes],
  ['json', jsonToFixes],
])
const STREAMED = ['geojson', 'json']

export interface ImportOptions {
  /** Unix ms; older fixes are left out. Home is learnt from the nights of the last 28 days only. */
  since?: number
  signal?: AbortSignal
  /** Bytes read so far. */
  onProgress?: (bytes: number) => void
}

/** True when the name ends like a track file. */
export function isTrackFile(name: string): boolean {
  return READERS.has(nameToKind(name))
}

/** Fixes in the order of the file. Throws IMPORT_INVALID { line, reason }. Record them with `{ imported: true }`. */
export function importFile(name: string, text: string): Fix[] {
  const read = toReader(name)
  if (text.length > CHARACTERS_MAX)
    throw importInvalid(0, `expected at most ${CHARACTERS_MAX} characters, got more: split the file`)
  if (text.trim() === '') throw importInvalid(0, 'expected a track, got an empty file: export it again')
  return read(text)
}

/**
 * Fixes of a file of any size, oldest first: `importStream(file.name, file.stream())`. Throws IMPORT_INVALID { line, reason },
 * ABORTED.
 */
export async function importStream(
  name: string,
  stream: ReadableStream<Uint8Array>,
  { since = Number.NEGATIVE_INFINITY, signal, onProgress }: ImportOptions = {},
): Promise<Fix[]> {
  toReader(name)
  const fixes: Fix[] = []
  const take = (fix: Fix) => {
    if (fix.at < since) return
    if (fixes.length === FIXES_MAX)
      throw importInvalid(0, `expected at most ${FIXES_MAX} fixes, got more: split the file`)
    fixes.push(fix)
  }
  const streamed = STREAMED.includes(nameToKind(name))
  const json = streamed ? jsonTrackReader(take) : undefined
  const decoder = new TextDecoder()
  let [bytes, text] = [0, '']
  const reader = stream.getReader()
  try {
    while (true) {
      if (signal?.aborted === true) throw new FederationError('ABORTED', 'the import was aborted')
      const { done, value } = await reader.read()
      if (done) break
      bytes += value.length
      onProgress?.(bytes)
      if (json !== undefined) json.write(value)
      else text += decoder.decode(value, { stream: true })
      if (text.length > CHARACTERS_MAX)
        throw importInvalid(0, `expected at most ${CHARACTERS_MAX} characters, got more: split the file`)
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  if (bytes === 0) throw importInvalid(0, 'expected a track, got an empty file: export it again')
  if (json !== undefined) json.end()
  else for (const fix of importFile(name, text + decoder.decode())) take(fix)
  return fixes.sort((a, b) => a.at - b.at)
}

function toReader(name: string): (text: string) => Fix[] {
  const read = READERS.get(nameToKind(name))
  if (read !== undefined) return read
  throw importInvalid(0, 'only files named .gpx, .geojson, .json, .csv, .tsv and .plt are understood')
}

function nameToKind(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}
