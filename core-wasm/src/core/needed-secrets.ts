/**
 * The secrets that risk points need, numbered in the order of the points that need them. PROTOCOL.md §5. A part of
 * gathering.ts. The keys of `threshold` wait for the protocol, which runs `plain` only.
 */

import type { Salting } from '../domain.ts'
import { BLOCK_SIZES_MIN } from '../wire/constants.ts'
import { epochOf } from './blocks.ts'
import { type Interner, interner } from './interner.ts'
import { type SecretNumbers, saltNumbers } from './salt-numbers.ts'

const SIZES = BLOCK_SIZES_MIN.length

export function secretNumbers(salting: Salting, cells: Interner, fixCount: number): SecretNumbers {
  return salting === 'plain' ? saltNumbers(fixCount) : keyNumbers(cells)
}

/** One key for each (cell, epoch). */
function keyNumbers(cells: Interner): SecretNumbers {
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
      salting: 'threshold',
      count: keys.count,
      cells: toIds(cells, keys.column(0)),
      epochs: keys.column(1),
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
