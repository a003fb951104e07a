/** Regions and shards. PROTOCOL.md §3.3, §4.5. Throws TypeError, RangeError. */

import type { Cell, Region } from '../domain.ts'
import { assertCell } from './cells.ts'
import type { Instance } from './instance.ts'

/** The number of H3 cells of resolution 4. */
export const REGION_COUNT = 288_122
const REGION_NONE = 0xffffffff

export function cellToRegion(core: Instance, cell: Cell): Region {
  assertCell(cell)
  const region = core.call.cellToRegion(cell) >>> 0
  if (region === REGION_NONE) throw new RangeError('"cell" expected an id of layer A, B or C')
  return region
}

/** The shard of a region, 0 … shards − 1. */
export function regionToShard(region: Region, shards: number): number {
  if (!Number.isInteger(region) || region < 0 || region >= REGION_COUNT) {
    throw new RangeError(`"region" expected 0..${REGION_COUNT - 1}, got ${region}`)
  }
  if (!Number.isSafeInteger(shards) || shards < 1) throw new RangeError(`"shards" expected at least 1, got ${shards}`)
  return region % shards
}
