/**
 * Home, learnt on the device from where nights and most of the days are spent, and the zone around it: pure. DESIGN.md §9 and the geometry
 * study it cites. The zone is displaced by a device secret, always to the same place, so that neither its middle nor
 * many traces of one person show where home is.
 */
import { MINUTE_MS, utf8 } from '@geotrace/core-wasm/wire'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { gridDisk, latLngToCell } from 'h3-js'

/** Edge 76 m; a zone of ring 3 has 37 cells, 0.56 km². */
export const HOME_RESOLUTION = 10
/** A fix this inaccurate still tells where the night is spent: indoors most fixes are. */
export const NIGHT_ACCURACY_MAX_M = 100
/** Nights that teach, and how long a home outlives its last one. */
export const NIGHTS = 14
/** One hour of fixes makes a night count. */
const VOTES_PER_NIGHT_MIN = 12
/** A place is home after so many nights; while fewer are known, every night's place is. */
const NIGHTS_AT_HOME_MIN = 3
/** Four hours of fixes in one place make it a day's place. */
const VOTES_PER_DAY_MIN = 48
/** A day passes through hundreds of cells; where one stays is among those with most fixes. */
const CELLS_PER_DAY_MAX = 64
const NIGHT_FROM_HOUR = 1
const NIGHT_TO_HOUR = 5
/** From this hour on a device in an unknown place may be at the place of its night. */
const EVENING_FROM_HOUR = 22
/** The middle of a zone is one of the 19 cells around the home cell. */
const DISPLACEMENT_RING = 2
const DAY_MIN = 24 * 60

/** Where the device was in one 5-minute block of a night. */
export interface NightVote {
  /** Local day number of the morning. */
  night: number
  /** H3 index, resolution 10. */
  cell: string
}

export function placeToHomeCell(lat: number, lng: number): string {
  return latLngToCell(lat, lng, HOME_RESOLUTION)
}

/** The night that a time between 01:00 and 05:00 local belongs to. */
export function timeToNight(atMs: number, offsetMin: number): number | undefined {
  const { day, hour } = localTime(atMs, offsetMin)
  return hour >= NIGHT_FROM_HOUR && hour < NIGHT_TO_HOUR ? day : undefined
}

/** The coming or present night of a time after 22:00 or before 05:00 local, and when it ends (Unix ms). */
export function timeToEvening(atMs: number, offsetMin: number): { night: number; endsAt: number } | undefined {
  const { day, hour } = localTime(atMs, offsetMin)
  if (hour < EVENING_FROM_HOUR && hour >= NIGHT_TO_HOUR) return undefined
  const night = hour >= EVENING_FROM_HOUR ? day + 1 : day
  return { night, endsAt: (night * DAY_MIN + NIGHT_TO_HOUR * 60 - offsetMin) * MINUTE_MS }
}

/** The place of each night that has an hour of fixes: the cell with most votes in and around it. */
export function votesToNights(votes: Iterable<NightVote>): Map<number, string> {
  const byNight = new Map<number, Map<string, number>>()
  for (const { night, cell } of votes) {
    const counts = byNight.get(night) ?? new Map<string, number>()
    byNight.set(night, counts.set(cell, (counts.get(cell) ?? 0) + 1))
  }
  const nights = new Map<number, string>()
  for (const [night, counts] of [...byNight].sort(([a], [b]) => a - b)) {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    if (total >= VOTES_PER_NIGHT_MIN) nights.set(night, bestCell(counts))
  }
  return nights
}

/** Where the device was during a local day: blocks with a fix, by cell; the first and the newest block counted. */
export interface DayCount {
  first: number
  last: number
  cells: Record<string, number>
}

/** The day with one more block, which must be newer than those before it; undefined when it is not. */
export function countBlock(day: DayCount | undefined, block: number, cell: string): DayCount | undefined {
  if (day !== undefined && block <= day.last) return undefined
  const cells = { ...day?.cells, [cell]: (day?.cells[cell] ?? 0) + 1 }
  const kept = Object.entries(cells).sort(([, a], [, b]) => b - a)
  // The newest stays, or a place one has just come to would never be counted.
  const full =
    kept.length > CELLS_PER_DAY_MAX ? kept.filter(([item], i) => i < CELLS_PER_DAY_MAX - 1 || item === cell) : kept
  return { first: day?.first ?? block, last: block, cells: Object.fromEntries(full) }
}

/**
 * The place of a day: where most of it was spent, four hours at least. Who sleeps at night is at home longer than
 * anywhere else, and so is who works at night, whose nights would show only where.
 */
export function dayToPlace({ cells }: DayCount): string | undefined {
  const counts = new Map(Object.entries(cells))
  const cell = bestCell(counts)
  return near(counts, cell) >= VOTES_PER_DAY_MIN ? cell : undefined
}

/**
 * The same nights by place. One house votes now for one cell, now for its neighbour; whatever lies in or next to the
 * cell of a known place is that place, so that its zone stays where it is. `known` grows by new places.
 */
export function nightsToPlaces(nights: ReadonlyMap<number, string>, known: string[]): Map<number, string> {
  const places = new Map<number, string>()
  for (const [night, cell] of nights) {
    const around = new Set(gridDisk(cell, 1))
    const place = known.find((item) => around.has(item)) ?? cell
    if (!known.includes(place)) known.push(place)
    places.set(night, place)
  }
  return places
}

/**
 * The home cells on the day `today`: places of three of fourteen nights (or days), each until fourteen after its last.
 */
export function placesToHomes(places: ReadonlyMap<number, string>, today: number): string[] {
  const homes = new Set<string>()
  for (const [last, place] of places) {
    if (last > today || last <= today - NIGHTS) continue
    const recent = [...places].filter(([night]) => night > last - NIGHTS && night <= last)
    const stayed = recent.filter(([, other]) => other === place).length
    if (stayed >= NIGHTS_AT_HOME_MIN || places.size < NIGHTS_AT_HOME_MIN) homes.add(place)
  }
  return [...homes]
}

/** The same of days. One that is not over may still become another place's: it counts while every day does. */
export function daysToHomes(places: ReadonlyMap<number, string>, today: number): string[] {
  const over = new Map([...places].filter(([day]) => day < today))
  const homes = placesToHomes(over, today)
  const now = places.get(today)
  return now === undefined || over.size >= NIGHTS_AT_HOME_MIN ? homes : [...homes, now]
}

/** Cells of the zone of a home cell; `ring` 2–4, wider hides more and sees fewer contacts. */
export function homeToZone(home: string, deviceSecret: Uint8Array, ring: number): string[] {
  const middles = gridDisk(home, DISPLACEMENT_RING).sort()
  const draw = hmac(sha256, deviceSecret, utf8(`geotrace/home/${home}`))
  const index = new DataView(draw.buffer, draw.byteOffset).getUint32(0) % middles.length
  return gridDisk(middles[index]!, ring)
}

export function localDay(atMs: number, offsetMin: number): number {
  return localTime(atMs, offsetMin).day
}

function localTime(atMs: number, offsetMin: number): { day: number; hour: number } {
  const minutes = atMs / MINUTE_MS + offsetMin
  const day = Math.floor(minutes / DAY_MIN)
  return { day, hour: Math.floor((minutes - day * DAY_MIN) / 60) }
}

/** Counts in and around a cell. */
function near(counts: ReadonlyMap<string, number>, cell: string): number {
  return gridDisk(cell, 1).reduce((sum, item) => sum + (counts.get(item) ?? 0), 0)
}

function bestCell(counts: ReadonlyMap<string, number>): string {
  const ranked = [...counts].map(([cell, own]) => ({ cell, own, score: near(counts, cell) }))
  ranked.sort((a, b) => b.score - a.score || b.own - a.own || (a.cell < b.cell ? -1 : 1))
  return ranked[0]!.cell
}
