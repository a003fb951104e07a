/**
 * The one place that a reporter contributes to the spread. PROTOCOL.md §9.10. It is drawn among the fixes of the last 14
 * days, and newer fixes count more. Only fixes that may be deposited are drawn from: no home, no zone, and nothing of a night
 * that is not over.
 */
import type { Core, Fix, Random } from '@geotrace/core-wasm'
import { NOWHERE, randomBelow, spreadGrid } from '@geotrace/core-wasm/spread'
import { DAY_MS, type SpreadParameters } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { timeToFixBlock } from '../diary/fix-block.ts'
import { readFixes } from '../diary/fix-states.ts'
import { readHistory } from '../diary/history.ts'

const DAYS = 14
const BLOCKS = timeToFixBlock(DAYS * DAY_MS)

/** The bucket of the fix that is drawn; 0 when there is none, or when it lies outside the areas. */
export async function chooseBucket(
  { storage, clock, redactor, core, random }: Device,
  { areas, resolution }: SpreadParameters,
): Promise<number> {
  const nowMs = clock.now()
  const candidates: Fix[] = []
  const consider = (fix: Fix): void => {
    if (redactor.toDecision(fix, nowMs) === 'release') candidates.push(fix)
  }
  for await (const { fix } of readFixes(storage)) consider(fix)
  for await (const [, fix] of readHistory(storage)) consider(fix)
  const fix = drawFix(candidates, nowMs, random)
  return fix === undefined ? NOWHERE : spreadGrid(areas, resolution).bucketOf(layerA(core, fix))
}

function layerA({ fixToCells }: Pick<Core, 'fixToCells'>, { lat, lng }: Fix): bigint {
  return fixToCells(lat, lng)[0]
}

/** Draws a fix by its weight: 1 now, falling to 0 within 14 days. Undefined when no fix has a weight. */
export function drawFix(fixes: readonly Fix[], nowMs: number, random: Random): Fix | undefined {
  const today = timeToFixBlock(nowMs)
  const weights = fixes.map(({ at }) => {
    const age = today - timeToFixBlock(at)
    return age < 0 ? 0 : Math.max(0, BLOCKS - age)
  })
  const sum = weights.reduce((all, weight) => all + weight, 0)
  if (sum === 0) return undefined
  let left = randomBelow(random)(sum)
  return fixes.find((_, i) => {
    left -= weights[i]!
    return left < 0
  })
}
