/**
 * Turns the texts of a fix into the fix. Degrees are decimal, with `.` or `,`, and may name their hemisphere. An accuracy of 0
 * means that it is unknown; a negative accuracy means that the receiver had no position. Throws EntryError.
 */
import type { Fix } from '@geotrace/core-wasm'
import { EntryError, quote } from './entry-error.ts'
import { type Field, nameToField, unitToMetres } from './field-names.ts'
import { isClock, joinDateAndClock, textToMoment } from './time.ts'

export interface Accuracy {
  text: string
  /** Metres in one unit of the text. */
  metres: number
}

export interface PositionFields {
  lat?: string | undefined
  lng?: string | undefined
  time?: string | undefined
  /** A date whose time of day stands in `time`. */
  date?: string | undefined
  /** A field with the zone of `time`. */
  offset?: string | undefined
  /** `N` or `S`, `E` or `W`, from fields of their own. */
  northSouth?: string | undefined
  eastWest?: string | undefined
  /** All accuracies that the entry names. The largest counts. */
  accuracies?: readonly Accuracy[]
}

/** Texts that apps write for a value that they do not have. */
const MISSING = new Set(['', 'null', 'undefined', 'nan', 'none', 'nil', 'n/a', 'na', '-', '--'])
const DEGREES = /^([NSEW])?\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?)\s*Â?°?\s*([NSEW])?$/i

export function fieldsToFix(fields: PositionFields): { fix: Fix; assumedUtc: boolean } {
  const { lat, lng } = toPlace(fields)
  const accuracyM = toAccuracy(fields.accuracies ?? [])
  const { at, assumedUtc } = toMoment(fields)
  return { fix: accuracyM === 0 ? { lat, lng, at } : { lat, lng, accuracyM, at }, assumedUtc }
}

/** Reads the fields of an entry by their names. `entries` are pairs of a name and a text. */
export function namedFields(entries: Iterable<readonly [name: string, text: string | undefined]>): PositionFields {
  const found: { [role in Exclude<Field['role'], 'accuracy'>]?: { rank: number; text: string } } = {}
  const accuracies: Accuracy[] = []
  for (const [name, text] of entries) {
    const field = text === undefined || isMissing(text) ? undefined : nameToField(name)
    if (field === undefined) continue
    const { role, rank, metres } = field
    if (role === 'accuracy') accuracies.push({ text: text!, metres })
    else if (rank < (found[role]?.rank ?? Number.POSITIVE_INFINITY)) found[role] = { rank, text: text! }
  }
  const texts = Object.fromEntries(Object.entries(found).map(([role, { text }]) => [role, text]))
  return { ...texts, accuracies }
}

export function isMissing(text: string | undefined): boolean {
  return text === undefined || MISSING.has(text.trim().toLowerCase())
}

function toPlace({ lat: north, lng: east, northSouth, eastWest }: PositionFields): { lat: number; lng: number } {
  if (isMissing(north) || isMissing(east)) throw new EntryError('no-position', 'the position is missing')
  const lat = toDegrees(north!, 'latitude', northSouth, 'NS')
  const lng = toDegrees(east!, 'longitude', eastWest, 'EW')
  if (lat === 0 && lng === 0) throw new EntryError('position-zero', 'the position 0, 0 stands for no position')
  if (Math.abs(lat) > 90) {
    const swapped = Math.abs(lat) <= 180 && Math.abs(lng) <= 90
    const hint = swapped ? '; the file may have exchanged latitude and longitude' : ''
    throw new EntryError('position-impossible', `the latitude ${north} lies outside -90 … 90${hint}`)
  }
  // Some files count the longitude from 0 to 360. A full turn gives the same cells.
  if (Math.abs(lng) > 360) throw new EntryError('position-impossible', `the longitude ${east} lies outside -180 … 180`)
  return { lat, lng }
}

function toDegrees(text: string, name: string, hemisphere: string | undefined, letters: string): number {
  const [, before, number, after] = DEGREES.exec(text.trim()) ?? []
  const letter = (before ?? after ?? (isMissing(hemisphere) ? undefined : hemisphere))?.trim().charAt(0).toUpperCase()
  const known = letter === undefined || letters.includes(letter)
  if (number === undefined || !known) {
    const given = number === undefined ? text : `${text} ${letter}`
    throw new EntryError('position-unreadable', `the ${name} ${quote(given)} is not a number of degrees`)
  }
  const degrees = Number(number.replace(',', '.'))
  return letter === 'S' || letter === 'W' ? -Math.abs(degrees) : degrees
}

function toAccuracy(accuracies: readonly Accuracy[]): number {
  let largest = 0
  for (const { text, metres } of accuracies) {
    if (isMissing(text)) continue
    const [, number = '', unit = ''] =
      /^([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?)\s*([a-z]*)\.?$/i.exec(text.trim()) ?? []
    const factor = unit === '' ? metres : unitToMetres(unit.toLowerCase())
    const accuracyM = number === '' || factor === undefined ? Number.NaN : Number(number.replace(',', '.')) * factor
    if (!Number.isFinite(accuracyM)) {
      throw new EntryError('accuracy-unreadable', `the accuracy ${quote(text)} is not a number of metres`)
    }
    if (accuracyM < 0) throw new EntryError('no-position', `the accuracy ${text} is negative, so there was no position`)
    largest = Math.max(largest, accuracyM)
  }
  return largest
}

function toMoment({ time, date, offset }: PositionFields): { at: number; assumedUtc: boolean } {
  const own = isMissing(time) ? date : time
  if (isMissing(own)) throw new EntryError('no-time', 'the entry has no time')
  const split = !isMissing(date) && own === time && isClock(time!)
  return textToMoment(split ? joinDateAndClock(date!, time!) : own!, offset)
}
