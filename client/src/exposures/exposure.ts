/**
 * Joins marks with the diary: where, when, how long, how close in time. Pure. DESIGN.md §2, README "Exposures". A mark names a
 * hash, and the links give the fixes that were in that cell in that block. The smallest matching block decides, because a
 * match within 5 minutes is more precise than the same meeting within a block of 80.
 */
import { BLOCK_SIZES_MIN, bytesToHex, LAG_CURRENT, type Mark, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { FIX_BLOCK_MIN, fixBlockEnd } from '../diary/fix-block.ts'
import type { LinkedFix } from '../diary/fix-states.ts'
import { hashedFixToRows } from '../diary/hashed-fix.ts'
import { distanceM } from '../redaction/place.ts'
import type { Verdict } from './verdicts.ts'

/** One contact, as shown to the user. */
export interface Exposure {
  /** Unix ms. */
  from: number
  to: number
  lat: number
  lng: number
  /** Marked hashes of this contact. `same`: in the same block as the other person; `trail`: in the block after. */
  matches: number
  same: number
  trail: number
  /** 1: this device met a reporter directly. */
  degree: number
  /** The highest weight of the exposure's marks. */
  weight: number
  /** The range of minutes between the other person's stay and this device's stay. */
  lagMin: { from: number; to: number }
  /** The other person was there at some time in this span, Unix ms. Longer blocks tell less, so their span is longer. */
  other: { from: number; to: number }
  /** Minutes of fixes that matched, of any block size. */
  minutes: number
  /** Layers in which the best fix matched, 1–3. One layer: within 24 m (PROTOCOL.md §3.1); more layers: closer. */
  layers: number
  certainty: Certainty
  /** The 5-minute blocks of the fixes that matched. */
  blocks: number[]
  /** The user's verdict on the exposure. */
  verdict: Verdict
}

/**
 * How certain the app is that both persons were there together. `high`: within the same five minutes, in two layers or
 * for ten minutes. `medium`: within a block of at most 20 minutes, or right after. `low`: only a longer block matched.
 */
export type Certainty = 'high' | 'medium' | 'low'
const MEDIUM_BLOCK_MAX_MIN = 20
const HIGH_MINUTES_MIN = 10
const HIGH_LAYERS_MIN = 2

/** Five sizes, current and next. */
const ROWS_PER_LAYER = 2 * BLOCK_SIZES_MIN.length
/** Fixes farther apart in time or space belong to two contacts. */
const GAP_MAX_MS = 20 * MINUTE_MS
const SPREAD_MAX_M = 250

interface Match {
  link: LinkedFix
  /** The smallest block that matched. */
  size: number
  lag: 0 | 1
  keys: Map<string, Mark>
  /** The layers of the rows that matched. */
  layers: Set<number>
}

/**
 * The exposures, oldest first. The function joins the marks of each degree alone, the lowest degree first. A fix in an
 * exposure of degree 1 belongs to none of degree 2. Otherwise an hour near one person could look like an hour near
 * another.
 */
export function marksToExposures(marks: readonly Mark[], links: readonly LinkedFix[]): Exposure[] {
  const degrees = [...new Set(marks.map((mark) => mark.degree))].sort((a, b) => a - b)
  const taken = new Set<number>()
  const exposures = degrees.flatMap((degree) => {
    const own = marks.filter((mark) => mark.degree === degree)
    const left = links.filter((link) => !taken.has(link.record.block))
    const events = toEvents(own, left)
    for (const match of events.flat()) taken.add(match.link.record.block)
    return events.map(eventToExposure)
  })
  return exposures.sort((a, b) => a.from - b.from)
}

function toEvents(marks: readonly Mark[], links: readonly LinkedFix[]): Match[][] {
  const byHash = new Map(marks.map((mark) => [`${mark.epoch}/${bytesToHex(mark.hash)}`, mark]))
  const matches = links.flatMap((link) => linkToMatch(link, byHash) ?? []).sort((a, b) => a.link.fix.at - b.link.fix.at)
  const events: Match[][] = []
  for (const match of matches) {
    const event = events.at(-1)
    if (event !== undefined && isSameEvent(event.at(-1)!, match)) event.push(match)
    else events.push([match])
  }
  return events
}

/** Only rows of the current block count: the other person was here at the same time as this device, or before. */
function linkToMatch(link: LinkedFix, byHash: ReadonlyMap<string, Mark>): Match | undefined {
  let match: Match | undefined
  for (const [i, row] of hashedFixToRows(link.record).entries()) {
    const id = `${row.epoch}/${row.key}`
    const mark = byHash.get(id)
    if (mark === undefined || row.lags !== LAG_CURRENT) continue
    match ??= { link, size: row.size, lag: mark.lag, keys: new Map(), layers: new Set() }
    match.layers.add(Math.floor(i / ROWS_PER_LAYER))
    match.keys.set(id, mark)
    if (row.size < match.size || (row.size === match.size && mark.lag < match.lag)) {
      match.size = row.size
      match.lag = mark.lag
    }
  }
  return match
}

function isSameEvent(before: Match, match: Match): boolean {
  const [a, b] = [before.link.fix, match.link.fix]
  return b.at - a.at <= GAP_MAX_MS && distanceM(a, b) <= SPREAD_MAX_M
}

function eventToExposure(event: readonly Match[]): Exposure {
  const marks = [...new Map(event.flatMap((match) => [...match.keys])).values()]
  const size = Math.min(...event.map((match) => match.size))
  const closest = event.filter((match) => match.size === size)
  const lag = closest.some((match) => match.lag === 0) ? 0 : 1
  const { lat, lng } = closest[0]!.link.fix
  const blocks = event.map((match) => match.link.record.block)
  const minutes = blocks.length * FIX_BLOCK_MIN
  const layers = Math.max(...closest.map((match) => match.layers.size))
  return {
    from: closest[0]!.link.record.block * FIX_BLOCK_MIN * MINUTE_MS,
    to: fixBlockEnd(closest.at(-1)!.link.record.block),
    lat,
    lng,
    matches: marks.length,
    same: marks.filter((mark) => mark.lag === 0).length,
    trail: marks.filter((mark) => mark.lag === 1).length,
    degree: marks[0]!.degree,
    weight: Math.max(...marks.map((mark) => mark.weight)),
    // In one block both are at most its size apart; in the block after, at most two sizes.
    lagMin: { from: 0, to: lag === 0 ? size : 2 * size },
    other: toOtherSpan(closest, size, lag),
    minutes,
    layers,
    certainty: toCertainty(size, lag, layers, closest.length * FIX_BLOCK_MIN),
    blocks,
    verdict: 'new',
  }
}

/** The blocks that hold the closest fixes, or the blocks before them when this device came in the block after. */
function toOtherSpan(closest: readonly Match[], size: number, lag: 0 | 1): Exposure['other'] {
  const blockMs = size * MINUTE_MS
  const toStart = (match: Match): number => Math.floor(match.link.fix.at / blockMs) * blockMs - lag * blockMs
  return { from: toStart(closest[0]!), to: toStart(closest.at(-1)!) + blockMs }
}

function toCertainty(size: number, lag: 0 | 1, layers: number, minutes: number): Certainty {
  const together = size === FIX_BLOCK_MIN && lag === 0
  if (together && (layers >= HIGH_LAYERS_MIN || minutes >= HIGH_MINUTES_MIN)) return 'high'
  return size <= MEDIUM_BLOCK_MAX_MIN ? 'medium' : 'low'
}
