/** The secrets that risk points need, numbered as the points that need them appear. PROTOCOL.md, salting. */
import { epochOf } from './blocks.ts'
import type { NeededSecrets, Salting } from './domain.ts'
import { type Interner, interner } from './interner.ts'
import { BLOCK_SIZES_MIN } from './wire/constants.ts'

export interface SecretNumbers {
  /** Of the point (cell, size s, n); the cell by its number, with its region. */
  number(cell: number, region: number, s: number, n: number): number
  /** Of the ten points of a fix's cell, into `out` from `at` on; `blockOf` from `first` on has the current blocks. */
  numberAll(cell: number, region: number, blockOf: Uint32Array, first: number, out: Uint32Array, at: number): void
  needed(): NeededSecrets
}

const SIZES = BLOCK_SIZES_MIN.length
/** Two for somebody in one region, ten for fixes all over the earth. */
const SALTS_EXPECTED_PER_FIX = 4

export function secretNumbers(salting: Salting, cells: Interner, fixCount: number): SecretNumbers {
  return salting === 'plain' ? saltNumbers(fixCount) : keyNumbers(salting, cells)
}

/** A key for each (cell, epoch). */
function keyNumbers(salting: 'oblivious' | 'threshold', cells: Interner): SecretNumbers {
  const keys = interner() // number of the cell, epoch, 0
  const number = (cell: number, _region: number, s: number, n: number) =>
    keys.intern(cell, epochOf(BLOCK_SIZES_MIN[s]!, n), 0)
  return {
    number,
    numberAll(cell, region, blockOf, first, out, at) {
      for (let s = 0; s < SIZES; s++) {
        const n = blockOf[first + s]!
        out[at++] = number(cell, region, s, n)
        out[at++] = number(cell, region, s, n + 1)
      }
    },
    needed: () => ({
      salting,
      count: keys.count,
      cells: toIds(cells, keys.column(0)),
      epochs: keys.column(1),
    }),
  }
}

/** A salt for each (region, size, n). Layers and neighbours in time share theirs, so the last ones are kept at hand. */
function saltNumbers(fixCount: number): SecretNumbers {
  const salts = interner(fixCount * SALTS_EXPECTED_PER_FIX) // region, n, size
  // Two of each size: a block and the next differ in their last bit.
  const regions = new Uint32Array(SIZES * 2)
  const blocks = new Float64Array(SIZES * 2).fill(-1)
  const numbers = new Uint32Array(SIZES * 2)
  // The last ten of one region and time.
  const ten = new Uint32Array(SIZES * 2)
  let tenRegion = 0
  let tenBlock = -1
  function number(_cell: number, region: number, s: number, n: number): number {
    const hand = s * 2 + (n & 1)
    if (blocks[hand] !== n || regions[hand] !== region) {
      blocks[hand] = n
      regions[hand] = region
      numbers[hand] = salts.intern(region, n, BLOCK_SIZES_MIN[s]!)
    }
    return numbers[hand]!
  }
  return {
    number,
    numberAll(cell, region, blockOf, first, out, at) {
      // Another layer of the same fix, mostly. The smallest size's block tells all the others.
      const smallest = blockOf[first]!
      if (region === tenRegion && smallest === tenBlock) {
        for (let i = 0; i < SIZES * 2; i++) out[at + i] = ten[i]!
        return
      }
      for (let s = 0; s < SIZES; s++) {
        const n = blockOf[first + s]!
        out[at + s * 2] = ten[s * 2] = number(cell, region, s, n)
        out[at + s * 2 + 1] = ten[s * 2 + 1] = number(cell, region, s, n + 1)
      }
      tenRegion = region
      tenBlock = smallest
    },
    needed: () => ({
      salting: 'plain',
      count: salts.count,
      regions: salts.column(0),
      sizes: Uint8Array.from(salts.column(2)),
      blocks: salts.column(1),
    }),
  }
}

/** The 64-bit ids of numbered cells. Words lie low first, as in the module's memory. */
function toIds(cells: Interner, numbers: Uint32Array): BigUint64Array {
  const [low, high] = [cells.column(0), cells.column(1)]
  const words = new Uint32Array(numbers.length * 2)
  for (let i = 0; i < numbers.length; i++) {
    words[i * 2] = low[numbers[i]!]!
    words[i * 2 + 1] = high[numbers[i]!]!
  }
  return new BigUint64Array(words.buffer)
}
