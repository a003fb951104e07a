/**
 * Numbers the salts that plain salting needs, one for each (region, size, n). PROTOCOL.md §5. A part of gathering.ts,
 * which says what it is for. The ten salts of a region's first fix (current and next block of each size) are numbered in
 * a row and found again by arithmetic. Only a longer stay in a region needs an index. The latest salts are cached.
 */
import type { NeededSecrets } from '../domain.ts'
import { BLOCK_SIZES_MIN } from '../wire/constants.ts'
import { type Interner, interner } from './interner.ts'

export interface SecretNumbers {
  /** The number of the secret of a point: number of the cell, its region, index of the size, n. */
  number(cell: number, region: number, s: number, n: number): number
  /** Writes the numbers of a cell's ten points to `out` from `at` on. `blockOf` holds the current blocks from `first` on. */
  numberAll(cell: number, region: number, blockOf: Uint32Array, first: number, out: Uint32Array, at: number): void
  needed(): NeededSecrets
}

const LAYERS = 3
const SIZES = BLOCK_SIZES_MIN.length
/** A person in one region needs two, fixes all over the earth ten. */
const SALTS_EXPECTED_PER_FIX = 4

export function saltNumbers(fixCount: number): SecretNumbers {
  const salts = saltColumns(fixCount * SALTS_EXPECTED_PER_FIX)
  const regions = interner(fixCount) // region, 0, 0
  // For each region: the number of its first salt, and the block of the smallest size of that salt.
  const firstSalt = new Uint32Array(fixCount * LAYERS)
  const firstBlock = new Uint32Array(fixCount * LAYERS)
  let index: Interner | undefined // region, n, size; numbers as the salts
  // The cache holds two salts of each size, because a block and the next one differ in their last bit.
  const handRegions = new Uint32Array(SIZES * 2)
  const handBlocks = new Float64Array(SIZES * 2).fill(-1)
  const handNumbers = new Uint32Array(SIZES * 2)
  // The numbers of the last ten salts, of one region and time.
  const ten = new Uint32Array(SIZES * 2)
  let tenRegion = -1
  let tenBlock = -1

  function number(_cell: number, region: number, s: number, n: number): number {
    const hand = s * 2 + (n & 1)
    if (handBlocks[hand] !== n || handRegions[hand] !== region) {
      handBlocks[hand] = n
      handRegions[hand] = region
      handNumbers[hand] = lookUp(region, s, n)
    }
    return handNumbers[hand]!
  }

  /** Looks a salt up in a region whose first ten are numbered. */
  function lookUp(region: number, s: number, n: number): number {
    if (!index) {
      const known = regions.intern(region, 0, 0)
      // A block of a size lasts as long as two blocks of the size before.
      const lag = n - (firstBlock[known]! >>> s)
      if (lag === 0 || lag === 1) return firstSalt[known]! + s * 2 + lag
      index = interner(fixCount * SALTS_EXPECTED_PER_FIX)
      salts.indexTo(index)
    }
    const found = index.intern(region, n, BLOCK_SIZES_MIN[s]!)
    return found === salts.count ? salts.add(region, s, n) : found
  }

  /** Sets `ten` to the salts of a region and time. In a new region, their numbers are consecutive. */
  function toTen(region: number, blockOf: Uint32Array, first: number): void {
    const next = regions.count
    if (region !== tenRegion && regions.intern(region, 0, 0) === next) {
      firstSalt[next] = salts.count
      firstBlock[next] = blockOf[first]!
      salts.addTen(region, blockOf, first)
      for (let i = 0; i < SIZES * 2; i++) ten[i] = firstSalt[next]! + i
      if (index) salts.indexTo(index)
    } else {
      for (let s = 0; s < SIZES; s++) {
        const n = blockOf[first + s]!
        ten[s * 2] = number(0, region, s, n)
        ten[s * 2 + 1] = number(0, region, s, n + 1)
      }
    }
    tenRegion = region
    tenBlock = blockOf[first]!
  }

  return {
    number,
    numberAll(_cell, region, blockOf, first, out, at) {
      // Usually another layer of the same fix. The block of the smallest size determines all others.
      if (region !== tenRegion || blockOf[first] !== tenBlock) toTen(region, blockOf, first)
      for (let i = 0; i < SIZES * 2; i++) out[at + i] = ten[i]!
    },
    needed: salts.needed,
  }
}

/** Region, size and block of each salt, in the order of their numbers. */
function saltColumns(expected: number) {
  let regions = new Uint32Array(expected)
  let sizes = new Uint8Array(expected)
  let blocks = new Uint32Array(expected)
  let count = 0

  function grow(): void {
    const capacity = count * 2 + SIZES * 2
    const [oldRegions, oldSizes, oldBlocks] = [regions, sizes, blocks]
    regions = new Uint32Array(capacity)
    sizes = new Uint8Array(capacity)
    blocks = new Uint32Array(capacity)
    regions.set(oldRegions)
    sizes.set(oldSizes)
    blocks.set(oldBlocks)
  }

  return {
    get count() {
      return count
    },
    add(region: number, s: number, n: number): number {
      if (count === regions.length) grow()
      regions[count] = region
      sizes[count] = BLOCK_SIZES_MIN[s]!
      blocks[count] = n
      return count++
    },
    /** Adds the current and the next block of each size. */
    addTen(region: number, blockOf: Uint32Array, first: number): void {
      if (count + SIZES * 2 > regions.length) grow()
      for (let i = 0; i < SIZES * 2; i++) {
        regions[count + i] = region
        sizes[count + i] = BLOCK_SIZES_MIN[i >> 1]!
        blocks[count + i] = blockOf[first + (i >> 1)]! + (i & 1)
      }
      count += SIZES * 2
    },
    /** Adds to `index` the salts that it does not have yet. */
    indexTo(index: Interner): void {
      for (let i = index.count; i < count; i++) index.intern(regions[i]!, blocks[i]!, sizes[i]!)
    },
    needed: (): NeededSecrets => ({
      salting: 'plain',
      count,
      regions: regions.slice(0, count),
      sizes: sizes.slice(0, count),
      blocks: blocks.slice(0, count),
    }),
  }
}
