// Time blocks: n = floor(unix minutes / size). PROTOCOL.md §3.4. The caller refuses values that are no time.
import { BLOCKS, CELLS, FRESH_BLOCKS, FRESH_CELLS, TIMES } from './areas'
import { CELLS_PER_FIX, MINUTE_MS, POINTS_PER_CELL, SHORTEST_SIZE_MIN, SIZES } from './constants'

export function timeToBlock(at: f64, size: u32): u32 {
  return <u32>floor(floor(at) / (<f64>size * MINUTE_MS))
}

/** The current block of every size for `count` fixes. Each size is twice the size before, so n is half of the n before. */
export function writeBlocks(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const n = timeToBlock(load<f64>(TIMES + (i << 3)), SHORTEST_SIZE_MIN)
    for (let size: u32 = 0; size < SIZES; size++) store<u32>(BLOCKS + ((i * SIZES + size) << 2), n >> size)
  }
}

/** Cell and block of all thirty points of each fix, [layer][size][lag]. The host copies the new ones. */
export function writeFresh(count: u32): void {
  for (let place: u32 = 0; place < count * CELLS_PER_FIX; place++) {
    const cell = load<u64>(CELLS + (place << 3))
    const cells = FRESH_CELLS + place * POINTS_PER_CELL * 8
    const blocks = FRESH_BLOCKS + place * POINTS_PER_CELL * 4
    const current = BLOCKS + (place / CELLS_PER_FIX) * SIZES * 4
    for (let s: u32 = 0; s < SIZES; s++) {
      store<u64>(cells + (s << 4), cell)
      store<u64>(cells + (s << 4), cell, 8)
      const n = load<u32>(current + (s << 2))
      store<u32>(blocks + (s << 3), n)
      store<u32>(blocks + (s << 3), n + 1, 4)
    }
  }
}
