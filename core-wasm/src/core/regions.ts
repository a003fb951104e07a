/** Regions and shards. PROTOCOL.md, regions. */

import type { Cell, Region } from '../domain.ts'
import { assertCell } from './cells.ts'
import type { Instance } from './instance.ts'

/** Cells of resolution 4. */
export const REGION_COUNT = 288_122
const REGION_NONE = 0xffffffff

export function cellToRegion(core: Instance, cell: Cell): Region {
  assertCell(cell)
  const region = core.call.cellToRegion(cell) >>> 0
  if (region === REGION_NONE) throw new RangeError('"cell" expected an id of layer A, B or C')
  return region
}

/** 0 … shards − 1. */
export function regionToShard(region: Region, shards: number): number {
  if (!Number.isInteger(region) || region < 0 || region >= REGION_COUNT) {
    throw new RangeError(`"region" expected 0..${REGION_COUNT - 1}`)
  }
  if (!Number.isSafeInteger(shards) || shards < 1) throw new RangeError(`"shards" expected at least 1, got ${shards}`)
  return region % shards
}
