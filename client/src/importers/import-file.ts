/** Track files by name: .plt (Geolife), .gpx, .csv and .tsv. */
import type { Fix } from '@geotrace/core-wasm'
import { csvToFixes } from './csv.ts'
import { gpxToFixes } from './gpx.ts'
import { importInvalid } from './import-error.ts'
import { pltToFixes } from './plt.ts'

/** Four months of one fix a second as CSV. */
const CHARACTERS_MAX = 256 * 1024 * 1024

const READERS = new Map<string, (text: string) => Fix[]>([
  ['plt', pltToFixes],
  ['gpx', gpxToFixes],
  ['csv', csvToFixes],
  ['tsv', csvToFixes],
])

/** Whether the name ends like a track file. */
export function isTrackFile(name: string): boolean {
  return READERS.has(nameToKind(name))
}

/** Fixes in the order of the file. Throws IMPORT_INVALID { line, reason }. Record them with `{ imported: true }`. */
export function importFile(name: string, text: string): Fix[] {
  const read = READERS.get(nameToKind(name))
  if (read === undefined) throw importInvalid(0, 'only files named .gpx, .csv, .tsv and .plt are understood')
  if (text.length > CHARACTERS_MAX) throw importInvalid(0, 'the file is too large')
  if (text.trim() === '') throw importInvalid(0, 'the file is empty')
  return read(text)
}

function nameToKind(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}
