/** Formats numbers, times and errors for people. */
import { type Exposure, isFederationError, type RefusalReason } from '@geotrace/client'

export const day = (at: number): string =>
  new Date(at).toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
export const time = (at: number): string =>
  new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
export const place = ({ lat, lng }: { lat: number; lng: number }): string => `${lat.toFixed(5)}, ${lng.toFixed(5)}`
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString()} ${n === 1 ? one : many}`

export function bytes(n: number): string {
  return n < 1000 ? `${n} B` : `${(n / 1000).toFixed(n < 10_000 ? 1 : 0)} KB`
}

export function ago(at: number, now: number): string {
  const minutes = Math.round((now - at) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${count(minutes, 'minute')} ago`
  return minutes < 48 * 60 ? `${count(Math.round(minutes / 60), 'hour')} ago` : day(at)
}

/** `1 h 35 min` */
export function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  return [hours > 0 && `${hours} h`, (minutes % 60 > 0 || hours === 0) && `${minutes % 60} min`]
    .filter(Boolean)
    .join(' ')
}

export function inMinutes(at: number, now: number): string {
  const minutes = Math.round((at - now) / 60_000)
  return minutes <= 0 ? 'now' : minutes < 60 ? `in ${count(minutes, 'minute')}` : `at ${time(at)}`
}

export const REASONS: Readonly<Record<RefusalReason, string>> = {
  invalid: 'not a position',
  future: 'ahead of the clock',
  'too-old': 'older than three hours',
  inaccurate: 'less accurate than 10 m',
  'accuracy-unknown': 'of unknown accuracy',
  paused: 'while paused',
  'no-consent': 'before you agreed',
  erasing: 'while erasing',
  'redacted-home': 'near home',
  'redacted-zone': 'in a zone of yours',
  'redacted-speed': 'riding, not walking',
  'not-better': 'the diary has a better fix of these five minutes',
  'block-taken': 'a fix of these five minutes was hashed already',
}

/** Describes how close in time two people were, from the smallest block that matched. */
export function closeness({ lagMin, trail, same }: Exposure): string {
  if (same === 0) return `You came after they had left, by at most ${lagMin.to} minutes.`
  if (lagMin.to <= 5) return 'You were there within the same five minutes.'
  const after = trail > 0 ? ' or shortly after them' : ''
  return `You were there within ${lagMin.to} minutes of each other${after}.`
}

export function degreeToWords(degree: number): string {
  if (degree === 1) return 'They reported a positive test.'
  return degree === 2
    ? 'They had met somebody who reported a positive test.'
    : `They are ${degree - 1} meetings away from somebody who reported a positive test.`
}

const ERRORS: Record<string, string> = {
  ABORTED: 'The sync was stopped. Nothing is lost.',
  BUSY: 'The central peer is busy. The app tries again later; nothing is lost.',
  CODE_EXPIRED: 'This code is too old. Ask for a new one.',
  CODE_SPENT: 'This code was used before. Ask for a new one.',
  CODE_UNKNOWN: 'This is not a code of the authority. Please compare it letter by letter.',
  CONSENT_MISSING: 'You have not agreed to this yet.',
  CORE_UNSUPPORTED: 'This browser has no WebAssembly.',
  IMPORT_INVALID: 'The file cannot be read.',
  MANIFEST_INVALID: 'The federation file of this app is not valid.',
  PEER_TIMEOUT: 'The federation did not answer in time. The app tries again; nothing is lost.',
  PEER_UNREACHABLE: 'The federation cannot be reached. The app tries again; nothing is lost.',
  QUOTA_SPENT: 'Too many requests. The app tries again later; nothing is lost.',
  STORAGE_CORRUPT: 'The data in this browser cannot be read: it belongs to another federation, or it was damaged.',
  STORAGE_FULL: 'There is no room left on this device or at the authority. The app tries again later; nothing is lost.',
  STORAGE_LOST: 'The browser has taken the storage away. Please reload the page.',
  TOO_MANY_ATTEMPTS: 'You tried too many wrong codes. Please wait an hour.',
}

export function errorToWords(error: unknown): string {
  if (isFederationError(error, 'IMPORT_INVALID')) {
    const { file, line, reason } = error.data
    const where = [file, line > 0 ? `line ${line}` : undefined].filter((part) => part !== undefined).join(', ')
    return where === '' ? `${reason}.` : `${where}: ${reason}.`
  }
  if (isFederationError(error)) return ERRORS[error.code] ?? `Something failed (${error.code}).`
  return error instanceof Error ? error.message : String(error)
}
