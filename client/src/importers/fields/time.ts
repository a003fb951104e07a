/**
 * Reads the notations of time that track files use. The unit of a number follows from its size, because the years from 1990
 * to 2099 in seconds, milliseconds, microseconds and nanoseconds do not overlap. A time without a zone is read as UTC.
 * Throws EntryError.
 */
import { EntryError, quote } from './entry-error.ts'

/** No phone recorded a position before 1990. The later bound keeps the units of numbers apart. */
const AT_MIN = Date.UTC(1990, 0)
const AT_MAX = Date.UTC(2100, 0)
/** Milliseconds in one unit: seconds, milliseconds, microseconds, nanoseconds. */
const UNITS_MS = [1000, 1, 1e-3, 1e-6]
/** Days since 1899-12-30, as spreadsheets count them, of 1990 to 2099. */
const SPREADSHEET_DAYS = [32_874, 73_050] as const
/** The zones of the Earth lie within -12:00 … +14:00. */
const OFFSET_MAX_MIN = 14 * 60
const MINUTE_MS = 60_000

const DATE = String.raw`(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})`
const CLOCK = String.raw`(\d{1,2}):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?`
const ZONE = String.raw`(?:\s*(Z|UTC|GMT|(?:UTC|GMT)?[+-]\d\d?(?::?\d\d)?))?`
const MOMENT = new RegExp(String.raw`^${DATE}(?:[T_,]\s*|\s+)${CLOCK}${ZONE}$`, 'i')
const CLOCK_ONLY = new RegExp(`^${CLOCK}${ZONE}$`, 'i')

interface Moment {
  /** Unix ms. */
  at: number
  /** True when the file names no zone. */
  assumedUtc: boolean
}

/** `zone` is the zone of a column of its own, used when the time names none. */
export function textToMoment(text: string, zone?: string): Moment {
  const trimmed = text.trim()
  if (/^[+-]?\d+(\.\d+)?(e\+?\d+)?$/i.test(trimmed) && !/^(19|20)\d{12}$/.test(trimmed)) {
    return { at: numberToTime(Number(trimmed), trimmed), assumedUtc: false }
  }
  const parts = MOMENT.exec(trimmed.replace(/^(\d{8})(\d{6})$/, '$1T$2'))
  if (parts === null) throw new EntryError('time-unreadable', toReason(trimmed))
  const [, year, , month, day, hour, minute, second = '0', fraction = '', own] = parts
  const named = own ?? /(Z|[+-]\d\d(?::?\d\d)?)\s*$/i.exec(zone ?? '')?.[1]
  const date = [Number(year), Number(month), Number(day)] as const
  const clock = [Number(hour), Number(minute), Number(second)] as const
  assertDate(date, clock, trimmed)
  const utc = Date.UTC(date[0], date[1] - 1, date[2], ...clock) + Number(fraction.padEnd(3, '0').slice(0, 3))
  return { at: assertSpan(utc - zoneToMs(named, trimmed), trimmed), assumedUtc: named === undefined }
}

/** A date and a time of day from two columns, also as `YYMMDD` and `HHMMSS` of Columbus loggers. */
export function joinDateAndClock(date: string, clock: string): string {
  const day = date.trim().replace(/^(\d\d)(\d\d)(\d\d)$/, '20$1-$2-$3')
  return `${day.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')}T${clock.trim()}`
}

/** True for a time of day without a date. Six digits are a time of day only beside a date. */
export function isClock(text: string): boolean {
  const trimmed = text.trim()
  return /^\d{6}(\.\d+)?$/.test(trimmed) || (trimmed.includes(':') && CLOCK_ONLY.test(trimmed))
}

function numberToTime(value: number, text: string): number {
  for (const unit of UNITS_MS) {
    const at = Math.round(value * unit)
    if (at >= AT_MIN && at < AT_MAX) return at
  }
  const [first, last] = SPREADSHEET_DAYS
  const hint = value >= first && value < last ? '; it looks like the date of a spreadsheet' : ''
  throw new EntryError('time-impossible', `the time ${quote(text)} lies outside 1990 … 2099 in every unit${hint}`)
}

/** A leap second is read as the next second. A day ends at 24:00. */
function assertDate(date: readonly number[], clock: readonly number[], text: string): void {
  const [year, month, day] = date as [number, number, number]
  const [hour, minute, second] = clock as [number, number, number]
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const good = month >= 1 && month <= 12 && day >= 1 && day <= days
  if (!good) throw new EntryError('time-impossible', `the time ${quote(text)} names a day that no calendar has`)
  const early = hour < 24 || (hour === 24 && minute === 0 && second === 0)
  if (early && minute < 60 && second <= 60) return
  throw new EntryError('time-impossible', `the time ${quote(text)} names an hour that no day has`)
}

function assertSpan(at: number, text: string): number {
  if (at >= AT_MIN && at < AT_MAX) return at
  throw new EntryError('time-impossible', `the time ${quote(text)} lies outside 1990 … 2099`)
}

function zoneToMs(zone: string | undefined, text: string): number {
  const [, sign, hours = '0', minutes = '0'] = /([+-])(\d\d?)(?::?(\d\d))?$/.exec(zone ?? '') ?? []
  const offset = Number(hours) * 60 + Number(minutes)
  if (offset <= OFFSET_MAX_MIN && Number(minutes) < 60) return (sign === '-' ? -offset : offset) * MINUTE_MS
  throw new EntryError('time-impossible', `the time ${quote(text)} has a zone that no place uses`)
}

function toReason(text: string): string {
  if (/^\d{1,2}[/.]\d{1,2}[/.]\d{2,4}/.test(text)) {
    return `the time ${quote(text)} leaves open which number is the day and which is the month`
  }
  if (isClock(text)) return `the time ${quote(text)} has no date`
  if (new RegExp(`^${DATE}$`).test(text)) return `the time ${quote(text)} has no time of day`
  return `the time ${quote(text)} cannot be read`
}
