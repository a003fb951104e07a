/**
 * Reads tables of fixes with a header and `,`, `;` or tab between columns. Parsed by csv-parse, some rows at a time.
 * Throws IMPORT_INVALID, ABORTED.
 */
import { parse } from 'csv-parse/browser/esm/sync'
import { EntryError } from './fields/entry-error.ts'
import { type FieldRole, nameToField } from './fields/field-names.ts'
import { namedFields, type PositionFields } from './fields/position.ts'
import type { Intake } from './intake.ts'

const DELIMITERS = [',', ';', '\t']
/** Some loggers write a few lines about themselves before the header. */
const HEADER_LINES_MAX = 20
/** Characters that are parsed at a time: about 10 ms of work (Node 20, 2 vCPU, November 2026). */
const CHUNK_CHARACTERS = 32 * 1024

interface Header {
  names: string[]
  delimiter: string
  /** Offset and line of the first row. */
  offset: number
  line: number
}

interface CsvRow {
  info: { lines: number }
  record: string[]
}

export async function readCsv(text: string, intake: Intake): Promise<void> {
  const header = findHeader(text, intake)
  let line = header.line
  for (const chunk of rowChunks(text, header.offset)) {
    const before = line - 1
    for (const { record, info } of parseRows(chunk, header.delimiter)) {
      if (record.every((cell) => cell === '')) continue
      intake.take({ line: () => before + info.lines }, () => readRow(record, header.names))
    }
    line += count(chunk, '\n')
    await intake.turn()
  }
}

/** The first line that names a latitude and a longitude, and the delimiter that finds them. */
function findHeader(text: string, intake: Intake): Header {
  const rule = /^"?sep=(.)"?\r?(?:\n|$)/i.exec(text)
  const delimiters = rule === null ? DELIMITERS : [rule[1]!]
  let [offset, line] = [rule?.[0].length ?? 0, rule === null ? 1 : 2]
  const first = splitLine(text, offset)
  for (let i = 0; i < HEADER_LINES_MAX && offset < text.length; i++, line++) {
    const { content, next } = splitLine(text, offset)
    for (const delimiter of delimiters) {
      const names = parseRows(content, delimiter)[0]?.record ?? []
      const roles = new Set(names.map((name) => nameToField(name)?.role))
      if (!roles.has('lat') || !roles.has('lng')) continue
      if (roles.has('time') || roles.has('date')) return { names, delimiter, offset: next, line: line + 1 }
      throw intake.invalid(line, `no column holds the time; ${describe(names)}; export the table with times`)
    }
    offset = next
  }
  const delimiter = delimiters.reduce((a, b) => (first.content.split(b).length > first.content.split(a).length ? b : a))
  const names = parseRows(first.content, delimiter)[0]?.record ?? []
  const lacking = (['lat', 'lng', 'time'] as const).filter(
    (role) => !names.some((name) => nameToField(name)?.role === role),
  )
  const columns = lacking.map((role) => WORDS[role]).join(', ')
  throw intake.invalid(
    rule === null ? 1 : 2,
    `no column holds the ${columns}; ${describe(names)}; add a header with latitude, longitude and time`,
  )
}

const WORDS: Readonly<Partial<Record<FieldRole, string>>> = { lat: 'latitude', lng: 'longitude', time: 'time' }

function describe(names: readonly string[]): string {
  return `the header has ${names.slice(0, 20).join(', ').slice(0, 200)}`
}

function readRow(record: readonly string[], names: readonly string[]): PositionFields {
  const extra = record.slice(names.length).some((cell) => cell !== '')
  if (extra || record.length < names.length) {
    throw new EntryError('malformed', `${names.length} columns are expected, not ${record.length}`)
  }
  return namedFields(names.map((name, i) => [name, record[i]] as const))
}

/** Chunks that end at the end of a row: outside of quotation marks, as far as these come in pairs. */
function* rowChunks(text: string, from: number): Generator<string> {
  let start = from
  while (start < text.length) {
    let end = start
    let quotes = 0
    do {
      const wanted = text.indexOf('\n', Math.min(text.length, Math.max(end, start + CHUNK_CHARACTERS)))
      const next = wanted < 0 ? text.length : wanted + 1
      quotes += count(text.slice(end, next), '"')
      end = next
    } while (quotes % 2 === 1 && end < text.length)
    yield text.slice(start, end)
    start = end
  }
}

/** A quotation mark that is never closed would swallow the rest, so that such a text is read without their meaning. */
function parseRows(text: string, delimiter: string): CsvRow[] {
  const options = {
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  } as const
  try {
    return parse(text, { ...options, relax_quotes: true }) as unknown as CsvRow[]
  } catch {
    const rows = parse(text, { ...options, quote: false }) as unknown as CsvRow[]
    return rows.map(({ record, info }) => ({ info, record: record.map((cell) => cell.replace(/^"(.*)"$/, '$1')) }))
  }
}

function splitLine(text: string, from: number): { content: string; next: number } {
  const end = text.indexOf('\n', from)
  return { content: text.slice(from, end < 0 ? text.length : end), next: end < 0 ? text.length : end + 1 }
}

function count(text: string, character: string): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++
  return found
}
