/**
 * Where everything stands in a device's storage, and how the small records are written. README "What is stored".
 * Keys that name a time hold it as eight hex digits, so that their order is the order of time.
 */
import { FederationError } from '@geotrace/core-wasm'
import { utf8 } from '@geotrace/core-wasm/wire'

export const KEYS = {
  federation: 'meta/federation',
  /** SHA-256 of the manifest that was checked whole before this storage was opened under it. */
  manifest: 'meta/manifest',
  userSecret: 'meta/user',
  deviceSecret: 'meta/device',
  paused: 'meta/paused',
  erasing: 'meta/erasing',
  homes: 'meta/homes',
  /** Cells of the places where nights were spent, as first learnt. */
  places: 'meta/places',
  zones: 'meta/zones',
  cursor: 'meta/cursor',
  totals: 'meta/totals',
  consents: 'meta/consents',
  /** A report code that has not gone out yet. */
  code: 'meta/code',
  /** The batch on its way: the request frame, byte for byte. */
  frozen: 'frozen',
} as const

/** Families of records; the part after the slash is a 5-minute block, a day, an epoch or a height. */
export const FAMILIES = {
  /** block → fix: the diary. */
  fix: 'fix/',
  /** block: a fix that has no hashes yet. */
  waiting: 'waiting/',
  /** block → the thirty hashes of a fix (outbox.ts); they link marks to the diary. */
  hashes: 'hashes/',
  /** block → epochs of its rows that are not acknowledged yet. */
  outbox: 'outbox/',
  /** epoch → rows that the central peer acknowledged. */
  deposited: 'deposited/',
  /** block → where the device was in the night, coarsely: teaches home (home.ts). */
  night: 'night/',
  /** local day → how long the device was where, coarsely: the same. */
  day: 'day/',
  /** epoch and hash → degree, weight, lag. */
  mark: 'mark/',
  /** block → what the user said about an exposure there (verdicts.ts). */
  verdict: 'verdict/',
  /** height → certified roster. */
  roster: 'roster/',
} as const

export function numberedKey(family: string, number: number): string {
  return `${family}${number.toString(16).padStart(8, '0')}`
}

export function keyToNumber(key: string): number {
  return Number.parseInt(key.slice(key.indexOf('/') + 1, key.indexOf('/') + 9), 16)
}

export function encodeRecord(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value))
}

/** Throws STORAGE_CORRUPT; the shape is the writer's, and only this package writes. */
export function decodeRecord<T>(key: string, bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch (cause) {
    throw new FederationError('STORAGE_CORRUPT', `the record ${key} cannot be read`, { what: key }, { cause })
  }
}
