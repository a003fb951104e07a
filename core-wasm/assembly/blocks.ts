// Time blocks: n = floor(unix minutes / size). PROTOCOL.md, time. The caller has refused what is no time.
import { BLOCKS, TIMES } from './areas'
import { MINUTE_MS, SHORTEST_SIZE_MIN, SIZES } from './constants'

export function timeToBlock(at: f64, size: u32): u32 {
  return <u32>floor(floor(at) / (<f64>size * MINUTE_MS))
}

/** The current block of every size, of `count` fixes. */
export function writeBlocks(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = load<f64>(TIMES + (i << 3))
    for (let size: u32 = 0; size < SIZES; size++) {
      store<u32>(BLOCKS + ((i * SIZES + size) << 2), timeToBlock(at, SHORTEST_SIZE_MIN << size))
    }
  }
}
