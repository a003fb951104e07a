/**
 * Redaction as the tracer uses it, and the redactor of `redaction: false`, which turns off home, zones and speed and nothing
 * else. README "Errors and reasons" names the reasons.
 */
import type { Fix } from '@geotrace/core-wasm'
import type { StorageOperation } from '../storage/storage.ts'
import type { Place } from './place.ts'
import type { Zone } from './zones.ts'

export interface RedactionOptions {
  /** Nothing within 200, 300 or 400 m of home is deposited; 3 (300 m) unless given. */
  homeRing?: 2 | 3 | 4
  /** Metres a second above which a fix is dropped as a ride; 30 unless given. */
  speedMaxMps?: number
}

/** Minutes that local time is ahead of UTC at a time and longitude. */
export type TimeZoneOffset = (atMs: number, lng: number) => number

export type RedactionReason = 'redacted-home' | 'redacted-zone' | 'redacted-speed'

/** Whether rows of a fix may go out now. */
export type DepositDecision = 'release' | 'hold' | 'drop'

export interface HomeStatus {
  /** After a night and a whole day, or when a home is marked. Until then deposits wait (diary state `held`). */
  known: boolean
  /** The number of nights that home was learnt from, of the last 28. */
  nights: number
  /** Homes marked by hand. */
  marked: Place[]
}

/** The effect of marking a place as home. */
export interface HomePreview {
  /** The cells that would be hidden, as H3 indexes of resolution 10. */
  zone: string[]
  /** Metres from the place to the nearest cell where this device spent a night; undefined while no night is known. */
  nightsAwayM: number | undefined
}

/** A lesson from one fix. The redactor knows it at once. The caller writes the operations with the fix, or unlearns. */
export interface Lesson {
  readonly operations: readonly StorageOperation[]
  unlearn(): void
}

export interface Redactor {
  /** Remembers in which cells nights and days are spent. Undefined when the fix teaches nothing. */
  learn(fix: Fix): Lesson | undefined
  /** Why a new fix must not be kept. Call once a fix, in order, because speed is measured from the fix before. */
  toReason(fix: Fix, nowMs: number): RedactionReason | undefined
  toDecision(fix: Fix, nowMs: number): DepositDecision
  setHomes(homes: Place[]): Promise<void>
  setZones(zones: Zone[]): Promise<void>
  homeStatus(nowMs: number): HomeStatus
  homeZone(nowMs: number): string[]
  previewHome(place: Place): HomePreview
  zones(): Zone[]
  forgetBefore(nowMs: number): Promise<void>
}

/** Redacts nothing by place or speed. */
export function noRedactor(): Redactor {
  const off = async (): Promise<void> => {
    throw new TypeError(
      'redaction is off, so homes and zones would have no effect; open the tracer with `redaction` to use them',
    )
  }
  return {
    learn: () => undefined,
    toReason: () => undefined,
    toDecision: () => 'release',
    setHomes: off,
    setZones: off,
    homeZone: () => [],
    previewHome: () => ({ zone: [], nightsAwayM: undefined }),
    homeStatus: () => ({ known: true, nights: 0, marked: [] }),
    zones: () => [],
    forgetBefore: async () => {},
  }
}
