/**
 * Redaction with its memory: nights, homes, zones, the fix before. README "What is stored". It is asked twice, when a
 * fix is recorded and again before its rows go out, because home may become known in between. Loaded only when
 * redaction is on, since h3-js comes with it.
 */
import type { Fix } from '@geotrace/core-wasm'
import { FIX_BLOCK_MIN, timeToFixBlock } from './diary.ts'
import {
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
import type { DepositVerdict } from './outbox.ts'
import type { Place } from './place.ts'
import { decodeRecord, encodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from './records.ts'
import { fixesToSpeed, fixToPlaces, isInHome, isInZones } from './redact.ts'
import type { HomeStatus, RedactionOptions, Redactor, TimeZoneOffset } from './redaction.ts'
import { del, put, type Storage } from './storage.ts'
import type { Zone } from './zones.ts'

/** Nights kept: those that teach and those that they must be compared with. */
const NIGHTS_KEPT = 2 * NIGHTS
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
  /** Cells of the places where nights were spent, as first learnt. */
  const places = await readList<string>(storage, KEYS.places)
  let before: Fix | undefined
  let learnt = learn()

  function learn() {
    return { nights: nightsToPlaces(votesToNights(votes.values()), places), zones: new Map<number, Set<string>>() }
  }

  /** Cells near home on a day: learnt homes and those marked by hand. */
  function homeZone(today: number): Set<string> {
    const known = learnt.zones.get(today)
    if (known !== undefined) return known
    const cells = [...placesToHomes(learnt.nights, today), ...homes.map(({ lat, lng }) => placeToHomeCell(lat, lng))]
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
      const night = timeToNight(fix.at, toOffsetMin(fix.at, fix.lng))
      const accuracyM = fix.accuracyM ?? NIGHT_ACCURACY_MAX_M
      const block = timeToFixBlock(fix.at)
      const held = votes.get(block)
      if (night === undefined || accuracyM > NIGHT_ACCURACY_MAX_M) return undefined
      if (held !== undefined && held.accuracyM <= accuracyM) return undefined
      const vote = { night, cell: placeToHomeCell(fix.lat, fix.lng), accuracyM }
      const placesBefore = places.length
      votes.set(block, vote)
      learnt = learn()
      const voted = put(numberedKey(FAMILIES.night, block), encodeRecord(vote))
      return {
        operations: places.length === placesBefore ? [voted] : [voted, put(KEYS.places, encodeRecord(places))],
        unlearn() {
          if (held === undefined) votes.delete(block)
          else votes.set(block, held)
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
    toVerdict(fix, nowMs): DepositVerdict {
      if (toPlaceReason(fix, nowMs) !== undefined) return 'drop'
      const evening = timeToEvening(fix.at, toOffsetMin(fix.at, fix.lng))
      if (homes.length === 0 && learnt.nights.size === 0) return 'hold'
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
    homeStatus: (): HomeStatus => ({
      known: homes.length > 0 || learnt.nights.size > 0,
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
      if (old.length === 0) return
      for (const block of old) votes.delete(block)
      learnt = learn()
      const stayed = new Set(learnt.nights.values())
      places.splice(0, places.length, ...places.filter((place) => stayed.has(place)))
      await storage.batch([
        ...old.map((block) => del(numberedKey(FAMILIES.night, block))),
        put(KEYS.places, encodeRecord(places)),
      ])
    },
  }
}

async function readList<T>(storage: Storage, key: string): Promise<T[]> {
  const bytes = await storage.get(key)
  return bytes === undefined ? [] : decodeRecord<T[]>(key, bytes)
}
