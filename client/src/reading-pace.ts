/**
 * When to ask the receiver for the next position, within a stated number of fixes a day. The plan has one every quarter of an
 * hour while a person keeps still, and one every five minutes on the way. README "Fewer positions". Pure. Throws RangeError.
 */
import type { Fix } from '@geotrace/core-wasm'
import { FIX_BLOCK_MIN, fixBlockEnd, timeToFixBlock } from './diary/fix-block.ts'
import { distanceM } from './redaction/place.ts'

/** All devices read in the first block of each quarter of an hour, so that two people who stay somewhere share a block. */
const ANCHOR_BLOCKS = 3
const BLOCKS_PER_DAY = (24 * 60) / FIX_BLOCK_MIN
const ANCHORS_PER_DAY = BLOCKS_PER_DAY / ANCHOR_BLOCKS
/** Farther than this, beyond what both accuracies explain, is a way. */
const STILL_M = 30

/**
 * Unix ms at which the next five minutes begin that need a fix. `fixes` of the diary, oldest first: those of this UTC day and the
 * last two. `fixesPerDay`, at least 96, bounds the fixes of a UTC day.
 */
export function nextReadingAt(fixes: readonly Fix[], nowMs: number, fixesPerDay: number): number {
  if (!Number.isInteger(fixesPerDay) || fixesPerDay < ANCHORS_PER_DAY) {
    throw new RangeError(`"fixesPerDay" expected a whole number of at least ${ANCHORS_PER_DAY}, got ${fixesPerDay}`)
  }
  const isMoving = isWay(fixes.at(-2), fixes.at(-1))
  const blocks = fixes.map(({ at }) => timeToFixBlock(at))
  let block = timeToFixBlock(nowMs) + 1
  while (!isWanted(block)) block++
  return fixBlockEnd(block - 1)

  function isWanted(block: number): boolean {
    const day = toDay(block)
    const left = fixesPerDay - blocks.filter((item) => toDay(item) === day).length
    if (block % ANCHOR_BLOCKS === 0) return left > 0
    const anchorsAhead = ANCHORS_PER_DAY - 1 - Math.floor((block % BLOCKS_PER_DAY) / ANCHOR_BLOCKS)
    return isMoving && left > anchorsAhead
  }
}

function toDay(block: number): number {
  return Math.floor(block / BLOCKS_PER_DAY)
}

/** Until two fixes are known, a person counts as moving. */
function isWay(before: Fix | undefined, last: Fix | undefined): boolean {
  if (before === undefined || last === undefined) return true
  return distanceM(before, last) - (before.accuracyM ?? 0) - (last.accuracyM ?? 0) > STILL_M
}
