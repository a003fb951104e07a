/**
 * Learns home on the device from the cells of nights and days, and computes the zone around home. Pure. DESIGN.md §9
 * and the geometry study that DESIGN.md cites. A device secret displaces the zone, always to the same cell. So neither
 * the middle of the zone nor many traces of one person show where home is.
 */
import { MINUTE_MS, utf8 } from '@geotrace/core-wasm/wire'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { cellToBoundary, cellToLatLng, gridDisk, latLngToCell } from 'h3-js'
import { toPlace } from './degrees.ts'
import { distanceM, type Place } from './place.ts'

/** Edge 76 m. A zone of ring 3 has about 110 cells, 1.6 km². */
export const HOME_RESOLUTION = 10
/** For each ring: nothing nearer to home than so many metres is deposited. */
export const HOME_CLEAR_M = { 2: 200, 3: 300, 4: 400 } as const
export type HomeRing = keyof typeof HOME_CLEAR_M
/** A fix of the night votes up to this inaccuracy, because most fixes indoors are inaccurate. */
export const NIGHT_ACCURACY_MAX_M = 100
/** Home is learnt from the last fourteen nights, and forgotten fourteen nights after its last one. */
export const NIGHTS = 14
/** One hour of fixes makes a night count. */
const VOTES_PER_NIGHT_MIN = 12
/** A cell is home after this many nights. While fewer nights are known, the cell of every night is home. */
const NIGHTS_AT_HOME_MIN = 3
/** Four hours of fixes in and around a cell make it the cell of the day. */
const VOTES_PER_DAY_MIN = 48
/** A day passes through hundreds of cells. The cell of a long stay is among those with most fixes. */
const CELLS_PER_DAY_MAX = 64
const NIGHT_FROM_HOUR = 1
const NIGHT_TO_HOUR = 5
/** From this hour on a device may already be where it spends the night. */
const EVENING_FROM_HOUR = 22
/** The middle of a zone is one of the 19 cells around the home cell. */
const DISPLACEMENT_RING = 2
/** Neighbouring cells differ in size by less than this, also beside a pentagon. */
const UNEVEN = 1.1
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

/** The middle of a home cell. */
export function homeCellToPlace(cell: string): Place {
  return toPlace(cellToLatLng(cell))
}

/** The night that a time between 01:00 and 05:00 local belongs to. */
export function timeToNight(atMs: number, offsetMin: number): number | undefined {
  const { day, hour } = localTime(atMs, offsetMin)
  return hour >= NIGHT_FROM_HOUR && hour < NIGHT_TO_HOUR ? day : undefined
}

/** The night that a local time after 22:00 or before 05:00 belongs to, and when that night ends (Unix ms). */
export function timeToEvening(atMs: number, offsetMin: number): { night: number; endsAt: number } | undefined {
  const { day, hour } = localTime(atMs, offsetMin)
  if (hour < EVENING_FROM_HOUR && hour >= NIGHT_TO_HOUR) return undefined
  const night = hour >= EVENING_FROM_HOUR ? day + 1 : day
  return { night, endsAt: (night * DAY_MIN + NIGHT_TO_HOUR * 60 - offsetMin) * MINUTE_MS }
}

/** The cell of each night that has an hour of fixes: the cell with most votes in and around it. */
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

/** Where the device was during a local day: the number of blocks with a fix by cell, the first and the newest block. */
export interface DayCount {
  first: number
  last: number
  cells: Record<string, number>
}

/** The day with one more block. Undefined when the block is not newer than the blocks counted before. */
export function countBlock(day: DayCount | undefined, block: number, cell: string): DayCount | undefined {
  if (day !== undefined && block <= day.last) return undefined
  const cells = { ...day?.cells, [cell]: (day?.cells[cell] ?? 0) + 1 }
  const kept = Object.entries(cells).sort(([, a], [, b]) => b - a)
  // The newest cell stays in the list; otherwise the cell of a late arrival would never gather a count.
  const full =
    kept.length > CELLS_PER_DAY_MAX ? kept.filter(([item], i) => i < CELLS_PER_DAY_MAX - 1 || item === cell) : kept
  return { first: day?.first ?? block, last: block, cells: Object.fromEntries(full) }
}

/**
 * The cell in which most of a day was spent, at least four hours. Most people spend more hours of a day at home than
 * anywhere else. That also holds for night workers, whose nights alone would show only the workplace.
 */
export function dayToCell({ cells }: DayCount): string | undefined {
  const counts = new Map(Object.entries(cells))
  const cell = bestCell(counts)
  return near(counts, cell) >= VOTES_PER_DAY_MIN ? cell : undefined
}

/**
 * Replaces the cell of a night (or day) by a known cell that is equal or next to it. Otherwise the zone of a home would
 * move, because the votes of one house can fall in two neighbouring cells. Every other cell becomes known.
 */
export function cellsToKnownCells(
  cells: ReadonlyMap<number, string>,
  before: readonly string[],
): { cells: Map<number, string>; known: string[] } {
  const known = [...before]
  const mapped = new Map<number, string>()
  for (const [day, cell] of cells) {
    const around = new Set(gridDisk(cell, 1))
    const found = known.find((item) => around.has(item))
    if (found === undefined) known.push(cell)
    mapped.set(day, found ?? cell)
  }
  return { cells: mapped, known }
}

/**
 * The home cells on the day `today`. A cell becomes home with the third night (or day) out of fourteen. The cell
 * stays home until fourteen nights (or days) after its last one.
 */
export function cellsToHomes(cells: ReadonlyMap<number, string>, today: number): string[] {
  const homes = new Set<string>()
  for (const [last, cell] of cells) {
    if (last > today || last <= today - NIGHTS) continue
    const recent = [...cells].filter(([night]) => night > last - NIGHTS && night <= last)
    const stayed = recent.filter(([, other]) => other === cell).length
    if (stayed >= NIGHTS_AT_HOME_MIN || cells.size < NIGHTS_AT_HOME_MIN) homes.add(cell)
  }
  return [...homes]
}

/**
 * The home cells by days. The cell of today may still change, so today counts only while fewer than three earlier days
 * are known.
 */
export function daysToHomes(cells: ReadonlyMap<number, string>, today: number): string[] {
  const over = new Map([...cells].filter(([day]) => day < today))
  const homes = cellsToHomes(over, today)
  const now = cells.get(today)
  return now === undefined || over.size >= NIGHTS_AT_HOME_MIN ? homes : [...homes, now]
}

/**
 * The cells of the zone of a home cell, its middle first. The zone depends on its middle only, so its shape tells nothing
 * about home. Nothing outside lies within `HOME_CLEAR_M` of any place in the home cell. So the zone reaches
 * as far as that distance, the longest displacement, and a corner of the home cell and of the cell outside together.
 */
export function homeToZone(home: string, deviceSecret: Uint8Array, ring: HomeRing): string[] {
  const middles = gridDisk(home, DISPLACEMENT_RING).sort()
  const draw = hmac(sha256, deviceSecret, utf8(`geotrace/home/${home}`))
  const middle = middles[new DataView(draw.buffer, draw.byteOffset).getUint32(0) % middles.length]!
  const at = toPlace(cellToLatLng(middle))
  const fromMiddle = (cell: string): number => distanceM(at, toPlace(cellToLatLng(cell)))
  const displacementM = Math.max(...gridDisk(middle, DISPLACEMENT_RING).map(fromMiddle))
  const cornerM = UNEVEN * Math.max(...cellToBoundary(middle).map((corner) => distanceM(at, toPlace(corner))))
  const reachM = HOME_CLEAR_M[ring] + displacementM + 2 * cornerM
  const apartM = Math.min(
    ...gridDisk(middle, 1)
      .filter((cell) => cell !== middle)
      .map(fromMiddle),
  )
  // Where two rows of hexagons meet, a ring lies only √3/2 of a cell's width farther out.
  const rings = Math.ceil(reachM / ((apartM * Math.sqrt(0.75)) / UNEVEN))
  return gridDisk(middle, rings).filter((cell) => fromMiddle(cell) <= reachM)
}

export function localDay(atMs: number, offsetMin: number): number {
  return localTime(atMs, offsetMin).day
}

function localTime(atMs: number, offsetMin: number): { day: number; hour: number } {
  const minutes = atMs / MINUTE_MS + offsetMin
  const day = Math.floor(minutes / DAY_MIN)
  return { day, hour: Math.floor((minutes - day * DAY_MIN) / 60) }
}

/** The sum of the counts in and around a cell. */
function near(counts: ReadonlyMap<string, number>, cell: string): number {
  return gridDisk(cell, 1).reduce((sum, item) => sum + (counts.get(item) ?? 0), 0)
}

function bestCell(counts: ReadonlyMap<string, number>): string {
  const ranked = [...counts].map(([cell, own]) => ({ cell, own, score: near(counts, cell) }))
  ranked.sort((a, b) => b.score - a.score || b.own - a.own || (a.cell < b.cell ? -1 : 1))
  return ranked[0]!.cell
}
