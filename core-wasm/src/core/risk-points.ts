/**
 * Fixes as risk points, each (cell, size, n) once. PROTOCOL.md §3.4, §3.5. The module computes cells, regions and blocks
 * in chunks. gathering.ts numbers and merges them and pairs them with the secrets that they need. Throws TypeError,
 * RangeError.
 */

import type { Fix, RiskPoints, Salting } from '../domain.ts'
import { assertTime } from './blocks.ts'
import { assertPosition } from './cells.ts'
import { gathering } from './gathering.ts'
import type { Instance } from './instance.ts'

export function fixesToRiskPoints(
  core: Instance,
  fixes: readonly Pick<Fix, 'lat' | 'lng' | 'at'>[],
  salting: Salting,
): RiskPoints {
  for (const { lat, lng, at } of fixes) {
    assertPosition(lat, lng)
    assertTime(at)
  }
  const { lats, lngs, times } = core
  const points = gathering(fixes.length, salting)
  for (let from = 0; from < fixes.length; from += core.fixes) {
    const count = Math.min(core.fixes, fixes.length - from)
    for (let i = 0; i < count; i++) {
      const { lat, lng, at } = fixes[from + i]!
      lats[i] = lat
      lngs[i] = lng
      times[i] = at
    }
    core.call.fixesToPoints(count)
    points.add(core, count)
  }
  core.call.wipeFixes()
  return points.finish()
}
