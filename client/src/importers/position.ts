/** Turns fields of a track file into a fix. An accuracy of 0 means that it is unknown. Throws IMPORT_INVALID. */
import type { Fix } from '@geotrace/core-wasm'
import { importInvalid } from './import-error.ts'

interface PositionFields {
  lat: string
  lng: string
  time: string
  accuracy?: string | undefined
}

/** Throws IMPORT_INVALID. `path` names the fields in a JSON file. */
export function fieldsToFix({ lat, lng, time, accuracy }: PositionFields, line: number, path?: string): Fix {
  const place = { lat: toNumber(lat, 'latitude', line, path), lng: toNumber(lng, 'longitude', line, path) }
  if (Math.abs(place.lat) > 90) throw invalid(line, `the latitude ${lat} lies outside -90 … 90`, path)
  const at = toTime(time, line, path)
  const accuracyM = accuracy === undefined || accuracy === '' ? 0 : toNumber(accuracy, 'accuracy', line, path)
  if (accuracyM < 0) throw invalid(line, `the accuracy ${accuracy} is negative`, path)
  return accuracyM === 0 ? { ...place, at } : { ...place, accuracyM, at }
}

/** Smaller numbers are seconds, larger ones milliseconds: the year 5138 in seconds, 1973 in milliseconds. */
const SECONDS_BELOW = 1e11

/** ISO 8601, `YYYY-MM-DD HH:MM:SS.fff` (UTC), Unix seconds or milliseconds. */
export function toTime(text: string, line: number, path?: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text)
    return Math.round(value < SECONDS_BELOW ? value * 1000 : value)
  }
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(text)
  const [, date, clock, fraction = '', zone = 'Z'] = parts ?? []
  const iso = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()
  const at = parts === null ? Number.NaN : Date.parse(`${date}T${clock}${fraction.slice(0, 4)}${iso}`)
  if (!Number.isFinite(at)) throw invalid(line, `"${text}" is not a time that can be read`, path)
  return at
}

function toNumber(text: string, name: string, line: number, path: string | undefined): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value)) throw invalid(line, `the ${name} "${text}" is not a number`, path)
  return value
}

function invalid(line: number, reason: string, path: string | undefined): Error {
  return importInvalid(line, path === undefined ? reason : `${path}: ${reason}`)
}
