/**
 * A day of the diary as a person remembers it: stays, ways between them, and gaps with their cause. Pure. A stay is a run of
 * fixes near one place (Li et al. 2008, "Mining user similarity based on location history", stay points).
 */
import type { Absence, AbsenceCause, DiaryEntry } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'

export const BLOCK_MS = 5 * MINUTE_MS

/** `night`: near home between 22:00 and 06:00. `none`: no cause is known. `before`: the diary had not begun. */
export type GapCause = AbsenceCause | 'night' | 'none' | 'before'

interface Span {
  /** Unix ms, from a block's start to a block's end. */
  from: number
  until: number
}
export interface Stay extends Span {
  kind: 'stay'
  /** The middle of its fixes. */
  lat: number
  lng: number
  fixes: readonly DiaryEntry[]
}
export interface Way extends Span {
  kind: 'way'
  fixes: readonly DiaryEntry[]
}
export interface Gap extends Span {
  kind: 'gap'
  cause: GapCause
}
export type TimelineItem = Stay | Way | Gap

/** A shop or a flat with its garden. Two accuracies of 10 m and the cells of 20 m are smaller. */
const STAY_RADIUS_M = 80
/** Positions that fail for ten minutes do not end a stay. */
const BRIDGE_MS = 3 * BLOCK_MS
const [NIGHT_FROM_H, NIGHT_UNTIL_H] = [22, 6]
const METRES_PER_DEGREE = 111_195

/**
 * Everything between `from` and `until`, oldest first, without holes. `entries` of this span, oldest first. `beganMs`: the
 * oldest moment that the device knows of.
 */
export function toTimeline(
  { from, until }: Span,
  entries: readonly DiaryEntry[],
  absences: readonly Absence[],
  beganMs: number,
): TimelineItem[] {
  const causeOf = blockToCause(absences)
  const moves = toMoves(toClusters(entries, causeOf))
  const items: TimelineItem[] = []
  let at = from
  for (const move of moves) {
    items.push(...toGaps(at, move.from, causeOf, beganMs), move)
    at = move.until
  }
  items.push(...toGaps(at, until, causeOf, beganMs))
  return items
}

/** The local midnights of the last `count` days, oldest first. */
export function toMidnights(nowMs: number, count: number): number[] {
  const today = new Date(nowMs)
  return Array.from({ length: count }, (_, i) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - (count - 1 - i)).getTime(),
  )
}

/** The midnight after this one. A day has 23 or 25 hours when the clocks change. */
export function nextMidnight(midnight: number): number {
  const day = new Date(midnight)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime()
}

const blockStart = (at: number): number => Math.floor(at / BLOCK_MS) * BLOCK_MS

function blockToCause(absences: readonly Absence[]): (at: number) => AbsenceCause | undefined {
  const causes = new Map<number, AbsenceCause>()
  for (const { from, until, cause } of absences) for (let at = from; at < until; at += BLOCK_MS) causes.set(at, cause)
  return (at) => causes.get(at)
}

interface Cluster extends Span {
  lat: number
  lng: number
  fixes: DiaryEntry[]
}

function toClusters(entries: readonly DiaryEntry[], causeOf: (at: number) => AbsenceCause | undefined): Cluster[] {
  const clusters: Cluster[] = []
  for (const entry of entries) {
    const start = blockStart(entry.at)
    const before = clusters.at(-1)
    if (before !== undefined && isNear(before, entry) && isBridged(before.until, start, causeOf)) {
      const n = before.fixes.push(entry)
      before.lat += (entry.lat - before.lat) / n
      before.lng += turn(entry.lng - before.lng) / n
      before.until = start + BLOCK_MS
    } else clusters.push({ from: start, until: start + BLOCK_MS, lat: entry.lat, lng: entry.lng, fixes: [entry] })
  }
  return clusters
}

/** A pause, a zone or home ends a stay. A few minutes without a good position do not. */
function isBridged(from: number, until: number, causeOf: (at: number) => AbsenceCause | undefined): boolean {
  if (until - from >= BRIDGE_MS) return false
  for (let at = from; at < until; at += BLOCK_MS) {
    const cause = causeOf(at)
    if (cause !== undefined && cause !== 'inaccurate' && cause !== 'unavailable') return false
  }
  return true
}

/** Clusters of one fix that touch another cluster are parts of a way. */
function toMoves(clusters: readonly Cluster[]): (Stay | Way)[] {
  const moves: (Stay | Way)[] = []
  for (const [i, cluster] of clusters.entries()) {
    const touches = (other: Cluster | undefined) =>
      other !== undefined && Math.max(other.from, cluster.from) - Math.min(other.until, cluster.until) < BRIDGE_MS
    const isWay = cluster.fixes.length === 1 && (touches(clusters[i - 1]) || touches(clusters[i + 1]))
    const before = moves.at(-1)
    if (!isWay) moves.push({ kind: 'stay', ...cluster })
    else if (before?.kind === 'way' && cluster.from - before.until < BRIDGE_MS) {
      moves[moves.length - 1] = { ...before, until: cluster.until, fixes: [...before.fixes, ...cluster.fixes] }
    } else moves.push({ kind: 'way', from: cluster.from, until: cluster.until, fixes: cluster.fixes })
  }
  return moves
}

function toGaps(
  from: number,
  until: number,
  causeOf: (at: number) => AbsenceCause | undefined,
  beganMs: number,
): Gap[] {
  const gaps: Gap[] = []
  for (let at = from; at < until; at += BLOCK_MS) {
    const cause = toGapCause(at, causeOf(at), beganMs)
    const before = gaps.at(-1)
    if (before?.cause === cause) before.until = Math.min(until, at + BLOCK_MS)
    else gaps.push({ kind: 'gap', from: at, until: Math.min(until, at + BLOCK_MS), cause })
  }
  return gaps
}

function toGapCause(at: number, cause: AbsenceCause | undefined, beganMs: number): GapCause {
  if (cause === undefined) return at < blockStart(beganMs) ? 'before' : 'none'
  const hour = new Date(at).getHours()
  return cause === 'home' && (hour >= NIGHT_FROM_H || hour < NIGHT_UNTIL_H) ? 'night' : cause
}

function isNear(a: { lat: number; lng: number }, b: { lat: number; lng: number }): boolean {
  const north = (b.lat - a.lat) * METRES_PER_DEGREE
  const east = turn(b.lng - a.lng) * METRES_PER_DEGREE * Math.cos((a.lat * Math.PI) / 180)
  return Math.hypot(north, east) <= STAY_RADIUS_M
}

/** Degrees between -180 and 180. */
function turn(degrees: number): number {
  return degrees - 360 * Math.round(degrees / 360)
}
