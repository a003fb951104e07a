/** Reads tables of fixes with a header line and `,`, `;` or tab between columns. Parsed by csv-parse. Throws IMPORT_INVALID. */
import type { Fix } from '@geotrace/core-wasm'
import { parse } from 'csv-parse/browser/esm/sync'
import { importInvalid } from './import-error.ts'
import { fieldsToFix } from './position.ts'

const DELIMITERS = [',', ';', '\t']
/** Names that the column may have, in lower case. */
const NAMES = {
  lat: ['lat', 'latitude'],
  lng: ['lng', 'lon', 'long', 'longitude'],
  time: ['time', 'tracked_at', 'timestamp', 'at', 'datetime', 'date_time'],
  accuracy: ['accuracy', 'accuracym', 'accuracy_m', 'horizontal_accuracy'],
}

export function csvToFixes(text: string): Fix[] {
  const rows = parseRows(text)
  const header = rows[0]?.record.map((name) => name.toLowerCase())
  if (header === undefined) throw importInvalid(0, 'the file is empty')
  const column = (names: readonly string[]) => header.findIndex((name) => names.includes(name))
  const [lat, lng, time, accuracy] = [column(NAMES.lat), column(NAMES.lng), column(NAMES.time), column(NAMES.accuracy)]
  for (const [name, index] of Object.entries({ latitude: lat, longitude: lng, time })) {
    if (index < 0) throw importInvalid(1, `no column holds the ${name}; the header has ${header.join(', ')}`)
  }
  if (rows.length === 1) throw importInvalid(0, 'the table has no fixes')
  return rows.slice(1).map(({ record, info }) => {
    const fields = { lat: record[lat]!, lng: record[lng]!, time: record[time]!, accuracy: record[accuracy] }
    return fieldsToFix(fields, info.lines)
  })
}

interface CsvRow {
  info: { lines: number }
  record: string[]
}

function parseRows(text: string): CsvRow[] {
  const head = text.slice(0, text.indexOf('\n') + 1 || text.length)
  const count = (delimiter: string) => head.split(delimiter).length
  const delimiter = DELIMITERS.reduce((best, item) => (count(item) > count(best) ? item : best))
  try {
    return parse(text, { bom: true, delimiter, info: true, skip_empty_lines: true, trim: true }) as unknown as CsvRow[]
  } catch (error) {
    const line = (error as { lines?: unknown }).lines
    throw importInvalid(typeof line === 'number' ? line : 0, 'the table cannot be read', error)
  }
}
