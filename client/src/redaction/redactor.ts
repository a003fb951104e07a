/**
 * Redaction with its memory: nights, days, homes, zones, the fix before. README "What is stored". It is asked twice, when a
 * fix is recorded and again before its rows go out, because home may become known in between. Loaded only when
 * redaction is on, since h3-js comes with it.
 */
import type { Fix } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { FIX_BLOCK_MIN, fixBlockEnd, timeToFixBlock } from '../diary/diary.ts'
import { decodeRecord, encodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { fixesToSpeed, fixToPlaces, isInHome, isInZones } from './filters.ts'
import {
  countBlock,
  type DayCount,
  daysToHomes,
  dayToPlace,
  homeToZone,
  localDay,
  NIGHT_ACCURACY_MAX_M,
  NIGHTS,
  type NightVote,
  nightsToPlaces,
  placesToHomes,
  placeToHomeCell,
  timeToEvening,
  timeToNight,
  votesToNights,
} from './home.ts'
import type { Place } from './place.ts'
import type { DepositDecision, HomeStatus, RedactionOptions, Redactor, TimeZoneOffset } from './redaction.ts'
import type { Zone } from './zones.ts'

/** Nights kept: those that teach and those that they must be compared with. */
const NIGHTS_KEPT = 2 * NIGHTS
const FIRST_DAY_MS = 24 * 60 * MINUTE_MS
const DEFAULTS = { homeRing: 3, speedMaxMps: 30 }

interface RedactorInit {
  storage: Storage
  deviceSecret: Uint8Array
  toOffsetMin: TimeZoneOffset
  options: RedactionOptions
}

export async function openRedactor({ storage, deviceSecret, toOffsetMin, options }: RedactorInit): Promise<Redactor> {
  const { homeRing, speedMaxMps } = { ...DEFAULTS, ...options }
  const votes = new Map<number, NightVote & { accuracyM: number }>()
  for await (const [key, bytes] of storage.range(FAMILIES.night)) votes.set(keyToNumber(key), decodeRecord(key, bytes))
  const homes = await readList<Place>(storage, KEYS.homes)
  const zones = await readList<Zone>(storage, KEYS.zones)
  const days = new Map<number, DayCount>()
  for await (const [key, bytes] of storage.range(FAMILIES.day)) days.set(keyToNumber(key), decodeRecord(key, bytes))
  const dayCells = new Map([...days].map(([day, count]) => [day, dayToPlace(count)]))
  /** Cells of the places where nights and days were spent, as first learnt. */
  const places = await readList<string>(storage, KEYS.places)
  let before: Fix | undefined
  let learnt = learn()

  function learn() {
    const stays = new Map<number, string>()
    for (const [day, cell] of dayCells) if (cell !== undefined) stays.set(day, cell)
    return {
      nights: nightsToPlaces(votesToNights(votes.values()), places),
      days: nightsToPlaces(stays, places),
      zones: new Map<number, Set<string>>(),
    }
  }

  function setDay(day: number, count: DayCount | undefined): void {
    const before = dayCells.get(day)
    if (count === undefined) {
      days.delete(day)
      dayCells.delete(day)
    } else {
      days.set(day, count)
      dayCells.set(day, dayToPlace(count))
    }
    if (dayCells.get(day) !== before) learnt = learn()
  }

  /** Who works at night may spend it anywhere: only a whole day shows home. Whoever marked it knows better. */
  function isKnown(nowMs: number): boolean {
    if (homes.length > 0) return true
    const first = Math.min(...[...days.values()].map((day) => day.first))
    return learnt.nights.size > 0 && nowMs >= fixBlockEnd(first) + FIRST_DAY_MS
  }

  /** Cells near home on a day: learnt homes and those marked by hand. */
  function homeZone(today: number): Set<string> {
    const known = learnt.zones.get(today)
    if (known !== undefined) return known
    const marked = homes.map(({ lat, lng }) => placeToHomeCell(lat, lng))
    const stayed = marked.length > 0 ? [] : daysToHomes(learnt.days, today)
    const cells = [...placesToHomes(learnt.nights, today), ...stayed, ...marked]
    const zone = new Set(cells.flatMap((cell) => homeToZone(cell, deviceSecret, homeRing)))
    learnt.zones.set(today, zone)
    return zone
  }

  function toPlaceReason(fix: Fix, nowMs: number): 'redacted-home' | 'redacted-zone' | undefined {
    const home = homeZone(localDay(nowMs, toOffsetMin(nowMs, fix.lng)))
    if (zones.length === 0 && home.size === 0) return undefined
    const places = fixToPlaces(fix)
    const shapes = zones.map((zone) => zone.shape)
    if (isInZones(places, shapes)) return 'redacted-zone'
    return isInHome(places, home) ? 'redacted-home' : undefined
  }

  return {
    learn(fix) {
      const accuracyM = fix.accuracyM ?? NIGHT_ACCURACY_MAX_M
      if (accuracyM > NIGHT_ACCURACY_MAX_M) return undefined
      const offsetMin = toOffsetMin(fix.at, fix.lng)
      const [block, cell] = [timeToFixBlock(fix.at), placeToHomeCell(fix.lat, fix.lng)]
      const [day, night] = [localDay(fix.at, offsetMin), timeToNight(fix.at, offsetMin)]
      const [dayBefore, voteBefore] = [days.get(day), votes.get(block)]
      const counted = countBlock(dayBefore, block, cell)
      const vote =
        night === undefined || (voteBefore !== undefined && voteBefore.accuracyM <= accuracyM)
          ? undefined
          : { night, cell, accuracyM }
      const placesBefore = places.length
      const operations: StorageOperation[] = []
      if (counted !== undefined) {
        setDay(day, counted)
        operations.push(put(numberedKey(FAMILIES.day, day), encodeRecord(counted)))
      }
      if (vote !== undefined) {
        votes.set(block, vote)
        learnt = learn()
        operations.push(put(numberedKey(FAMILIES.night, block), encodeRecord(vote)))
      }
      if (operations.length === 0) return undefined
      if (places.length > placesBefore) operations.push(put(KEYS.places, encodeRecord(places)))
      return {
        operations,
        unlearn() {
          if (counted !== undefined) setDay(day, dayBefore)
          if (vote !== undefined && voteBefore === undefined) votes.delete(block)
          else if (vote !== undefined) votes.set(block, voteBefore!)
          places.length = placesBefore
          learnt = learn()
        },
      }
    },
    toReason(fix, nowMs) {
      const speed = fixesToSpeed(before, fix)
      before = fix
      if (speed > speedMaxMps) return 'redacted-speed'
      return toPlaceReason(fix, nowMs)
    },
    toDecision(fix, nowMs): DepositDecision {
      if (toPlaceReason(fix, nowMs) !== undefined) return 'drop'
      const evening = timeToEvening(fix.at, toOffsetMin(fix.at, fix.lng))
      if (!isKnown(nowMs)) return 'hold'
      if (evening === undefined) return 'release'
      if (nowMs < evening.endsAt) return 'hold'
      // One night in a hotel makes no home, but the evening there is hidden like one.
      const cell = learnt.nights.get(evening.night)
      const zone = cell === undefined ? [] : homeToZone(cell, deviceSecret, homeRing)
      return isInHome(fixToPlaces(fix), new Set(zone)) ? 'drop' : 'release'
    },
    async setHomes(next) {
      await storage.batch([put(KEYS.homes, encodeRecord(next))])
      homes.splice(0, homes.length, ...next)
      learnt = learn()
    },
    async setZones(next) {
      await storage.batch([put(KEYS.zones, encodeRecord(next))])
      zones.splice(0, zones.length, ...next)
    },
    homeStatus: (nowMs): HomeStatus => ({
      known: isKnown(nowMs),
      nights: learnt.nights.size,
      marked: [...homes],
    }),
    homeZone: (nowMs) => {
      const [place] = homes
      return [...homeZone(localDay(nowMs, toOffsetMin(nowMs, place?.lng ?? 0)))]
    },
    zones: () => [...zones],
    async forgetBefore(nowMs) {
      const oldest = timeToFixBlock(nowMs) - (NIGHTS_KEPT * 24 * 60) / FIX_BLOCK_MIN
      const old = [...votes.keys()].filter((block) => block < oldest)
      const oldDays = [...days].filter(([, { last }]) => last < oldest).map(([day]) => day)
      if (old.length + oldDays.length === 0) return
      for (const block of old) votes.delete(block)
      for (const day of oldDays) setDay(day, undefined)
      learnt = learn()
      const stayed = new Set([...learnt.nights.values(), ...learnt.days.values()])
      places.splice(0, places.length, ...places.filter((place) => stayed.has(place)))
      await storage.batch([
        ...old.map((block) => del(numberedKey(FAMILIES.night, block))),
        ...oldDays.map((day) => del(numberedKey(FAMILIES.day, day))),
        put(KEYS.places, encodeRecord(places)),
      ])
    },
  }
}

async function readList<T>(storage: Storage, key: string): Promise<T[]> {
  const bytes = await storage.get(key)
  return bytes === undefined ? [] : decodeRecord<T[]>(key, bytes)
}
