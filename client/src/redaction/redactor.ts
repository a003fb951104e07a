/**
 * Redaction with its memory: habits, homes, zones, the fix before. README "What is stored". A fix is judged twice, when it is
 * recorded and before its rows go out, because home may become known in between. Loaded only when redaction is on, because
 * h3-js comes with it. Throws STORAGE_CORRUPT.
 */
import type { Fix } from '@geotrace/core-wasm'
import { boundedMap } from '@geotrace/core-wasm/wire'
import { timeToFixBlock } from '../diary/fix-block.ts'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'
import { fixesToSpeed, fixToPositions, isInHome, isInZones, toDepositDecision } from './filters.ts'
import { Habits, type Stays } from './habits.ts'
import {
  cellsToHomes,
  daysToHomes,
  homeCellToPlace,
  homeToZone,
  localDay,
  NIGHT_ACCURACY_MAX_M,
  placeToHomeCell,
  timeToEvening,
  timeToNight,
} from './home.ts'
import { distanceM, type Place } from './place.ts'
import type {
  DepositDecision,
  HomePreview,
  HomeStatus,
  Lesson,
  RedactionOptions,
  RedactionReason,
  Redactor,
  TimeZoneOffset,
} from './redaction.ts'
import type { Zone } from './zones.ts'

/** More homes and beds than 28 nights have. */
const ZONES_KEPT = 64
const DEFAULTS: Required<RedactionOptions> = { homeRing: 3, speedMaxMps: 30 }

interface RedactorInit {
  storage: Storage
  deviceSecret: Uint8Array
  toOffsetMin: TimeZoneOffset
  options: RedactionOptions
}

export async function openRedactor(init: RedactorInit): Promise<Redactor> {
  const { storage } = init
  const homes = await readList<Place>(storage, KEYS.homes)
  const zones = await readList<Zone>(storage, KEYS.zones)
  return new HabitRedactor(init, await Habits.open(storage), homes, zones)
}

class HabitRedactor implements Redactor {
  readonly #init: RedactorInit
  readonly #options: Required<RedactionOptions>
  readonly #habits: Habits
  #homes: readonly Place[]
  #zones: readonly Zone[]
  /** The fix before, accepted or not. */
  #before: Fix | undefined
  /** The zone of a home cell never changes. Each decision about an evening needs one. */
  readonly #zoneOfCell = boundedMap<string, ReadonlySet<string>>(ZONES_KEPT)
  /** Home zones by day. Valid for these stays and homes only. */
  #cache: { stays: Stays; homes: readonly Place[]; zones: Map<number, Set<string>> } | undefined

  constructor(init: RedactorInit, habits: Habits, homes: readonly Place[], zones: readonly Zone[]) {
    this.#init = init
    this.#options = { ...DEFAULTS, ...init.options }
    this.#habits = habits
    this.#homes = homes
    this.#zones = zones
  }

  learn({ lat, lng, at, accuracyM = NIGHT_ACCURACY_MAX_M }: Fix): Lesson | undefined {
    if (accuracyM > NIGHT_ACCURACY_MAX_M) return undefined
    const offsetMin = this.#init.toOffsetMin(at, lng)
    return this.#habits.learn({
      block: timeToFixBlock(at),
      cell: placeToHomeCell(lat, lng),
      accuracyM,
      day: localDay(at, offsetMin),
      night: timeToNight(at, offsetMin),
    })
  }

  toReason(fix: Fix, nowMs: number): RedactionReason | undefined {
    const speed = fixesToSpeed(this.#before, fix)
    this.#before = fix
    return speed > this.#options.speedMaxMps ? 'redacted-speed' : this.#toPlaceReason(fix, nowMs)
  }

  toDecision(fix: Fix, nowMs: number): DepositDecision {
    const evening = timeToEvening(fix.at, this.#init.toOffsetMin(fix.at, fix.lng))
    return toDepositDecision({
      isRedacted: this.#toPlaceReason(fix, nowMs) !== undefined,
      isHomeKnown: this.#isHomeKnown(nowMs),
      isNightOver: evening === undefined || nowMs >= evening.endsAt,
      isNearBed: () => evening !== undefined && this.#isNearBed(fix, evening.night),
    })
  }

  async setHomes(homes: Place[]): Promise<void> {
    await this.#init.storage.batch([put(KEYS.homes, encodeRecord(homes))])
    this.#homes = [...homes]
  }

  async setZones(zones: Zone[]): Promise<void> {
    await this.#init.storage.batch([put(KEYS.zones, encodeRecord(zones))])
    this.#zones = [...zones]
  }

  homeStatus(nowMs: number): HomeStatus {
    return { known: this.#isHomeKnown(nowMs), nights: this.#habits.stays.nights.size, marked: [...this.#homes] }
  }

  homeZone(nowMs: number): string[] {
    const [home] = this.#homes
    return [...this.#zoneOf(localDay(nowMs, this.#init.toOffsetMin(nowMs, home?.lng ?? 0)))]
  }

  previewHome(place: Place): HomePreview {
    const beds = [...this.#habits.stays.nights.values()].map((cell) => distanceM(place, homeCellToPlace(cell)))
    return {
      zone: [...this.#toZone(placeToHomeCell(place.lat, place.lng))],
      nightsAwayM: beds.length === 0 ? undefined : Math.min(...beds),
    }
  }

  zones(): Zone[] {
    return [...this.#zones]
  }

  async forgetBefore(nowMs: number): Promise<void> {
    const operations = this.#habits.forgetBefore(nowMs)
    if (operations.length > 0) await this.#init.storage.batch(operations)
  }

  /** A user who marked home knows better than any habit. */
  #isHomeKnown(nowMs: number): boolean {
    return this.#homes.length > 0 || this.#habits.isHomeKnown(nowMs)
  }

  #toPlaceReason(fix: Fix, nowMs: number): 'redacted-home' | 'redacted-zone' | undefined {
    const home = this.#zoneOf(localDay(nowMs, this.#init.toOffsetMin(nowMs, fix.lng)))
    if (this.#zones.length === 0 && home.size === 0) return undefined
    const positions = fixToPositions(fix)
    const shapes = this.#zones.map((zone) => zone.shape)
    if (isInZones(positions, shapes)) return 'redacted-zone'
    return isInHome(positions, home) ? 'redacted-home' : undefined
  }

  /** One night in a hotel makes no home, but the evening there is hidden like an evening at home. */
  #isNearBed(fix: Fix, night: number): boolean {
    const cell = this.#habits.stays.nights.get(night)
    return cell !== undefined && isInHome(fixToPositions(fix), this.#toZone(cell))
  }

  /** Cells near home on a day: near learnt homes and homes marked by hand. */
  #zoneOf(today: number): Set<string> {
    const { stays } = this.#habits
    if (this.#cache?.stays !== stays || this.#cache.homes !== this.#homes) {
      this.#cache = { stays, homes: this.#homes, zones: new Map() }
    }
    const known = this.#cache.zones.get(today)
    if (known !== undefined) return known
    const marked = this.#homes.map(({ lat, lng }) => placeToHomeCell(lat, lng))
    const stayed = marked.length > 0 ? [] : daysToHomes(stays.days, today)
    const cells = [...cellsToHomes(stays.nights, today), ...stayed, ...marked]
    const zone = new Set(cells.flatMap((cell) => [...this.#toZone(cell)]))
    this.#cache.zones.set(today, zone)
    return zone
  }

  #toZone(cell: string): ReadonlySet<string> {
    const known = this.#zoneOfCell.get(cell)
    if (known !== undefined) return known
    const zone = new Set(homeToZone(cell, this.#init.deviceSecret, this.#options.homeRing))
    this.#zoneOfCell.set(cell, zone)
    return zone
  }
}

async function readList<T>(storage: Storage, key: string): Promise<T[]> {
  const bytes = await storage.get(key)
  return bytes === undefined ? [] : decodeRecord<T[]>(key, bytes)
}
