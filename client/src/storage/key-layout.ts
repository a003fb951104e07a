/**
 * The keys of a device's storage (those of tokens: token-keys.ts), and the codec of its small records. README "What is stored". A key that names a time
 * holds it as eight hex digits, so that keys sort by time. Throws STORAGE_CORRUPT.
 */
import { FederationError } from '@geotrace/core-wasm'
import { utf8 } from '@geotrace/core-wasm/wire'

export const KEYS = {
  federation: 'meta/federation',
  /** SHA-256 of the manifest that was checked whole before this storage was opened under it. */
  manifest: 'meta/manifest',
  userSecret: 'meta/user',
  deviceSecret: 'meta/device',
  /** The block in which the user paused; absent while recording goes on (absences.ts). */
  paused: 'meta/paused',
  homes: 'meta/homes',
  /** The H3 cells where nights and days were spent, as first learnt. */
  cells: 'meta/cells',
  zones: 'meta/zones',
  /** Names that the user gave to places (place-names.ts). */
  placeNames: 'meta/place-names',
  cursor: 'meta/cursor',
  totals: 'meta/totals',
  consents: 'meta/consents',
  /** The newest proof of time (proved-time.ts). */
  proof: 'meta/proof',
  /** When the last sync ended, and the last loss (last-sync.ts). */
  lastSync: 'meta/last-sync',
  /** The pins of epochs that take deposits (pin-record.ts). */
  pins: 'meta/pins',
  /** When the device was opened, by its clock (retention.ts). */
  openings: 'meta/openings',
  /** A report code or a withdrawal that is in no batch yet (own-report.ts). */
  due: 'meta/due',
  /** Where the report of this device stands (own-report.ts). */
  report: 'meta/report',
  /** The keys of open spread periods, and the slip of the newest one (spread-records.ts). */
  spreadKeys: 'meta/spread-keys',
  slip: 'meta/slip',
  /** The periods that the device paid for with their ε (ledger.ts). */
  ledger: 'meta/ledger',
  /** The frozen batch: the request frame, byte for byte (batch.ts). */
  frozen: 'frozen',
  /** One byte: the kind of the frozen batch. `record` reads this instead of the frame, for every fix. */
  frozenKind: 'meta/frozen-kind',
} as const

/** Families of records. After the slash stands a 5-minute block, a day, an epoch or a height. The families of a fix: fix-states.ts. */
export const FAMILIES = {
  /** epoch → rows that the central peer acknowledged. */
  deposited: 'deposited/',
  /** epoch → why its blocks have no fix (absences.ts). */
  absence: 'absence/',
  /** block → a fix that was imported too late to be matched (history.ts). */
  history: 'history/',
  /** epoch → nothing: some of its rows may belong to no fix any more (take-back.ts). */
  takeBack: 'take-back/',
  /** block → the H3 cell where the device was in the night: home is learnt from it (home.ts). */
  night: 'night/',
  /** local day → how long the device was in which H3 cell: home is learnt from it too. */
  day: 'day/',
  /** epoch and hash → degree, weight, lag. */
  mark: 'mark/',
  /** block → the user's verdict of an exposure there (verdicts.ts). */
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

/** Throws STORAGE_CORRUPT. The shape is not checked, because only this package writes records. */
export function decodeRecord<T>(key: string, bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch (cause) {
    throw new FederationError('STORAGE_CORRUPT', `the record ${key} cannot be read`, { what: key }, { cause })
  }
}
