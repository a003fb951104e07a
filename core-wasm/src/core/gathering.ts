/**
 * Numbers risk points in the order of their first appearance, each (cell, size, n) once. PROTOCOL.md §3.4.
 * This file, salt-numbers, interner and needed-secrets serve imports of days of fixes. There, a plain Map with the same
 * output was 94–100 × slower (November 2026). It was 9–13 × slower for three hours of fixes and 4–6 × for an hour. A
 * person who moves brings new cells, whose points are copied in runs. A person who stays brings the block after the last
 * one. Only a fix out of order needs a look-up.
 */
import type { RiskPoints, Salting } from '../domain.ts'
import { BLOCK_SIZES_MIN, LAG_CURRENT, LAG_NEXT, RISK_POINTS_PER_FIX } from '../wire/constants.ts'
import type { Instance } from './instance.ts'
import { type Interner, interner } from './interner.ts'
import { secretNumbers } from './needed-secrets.ts'

interface Gathering {
  /** Takes the fixes in the module's areas, in order. */
  add(core: Instance, fixes: number): void
  finish(): RiskPoints
}

const LAYERS = 3
const SIZES = BLOCK_SIZES_MIN.length
const POINTS_PER_CELL = RISK_POINTS_PER_FIX / LAYERS

/** Sizes and lags of a new cell, repeated for the longest run: three layers of the 64 fixes that the areas hold. */
const NEW_SIZES = repeated(BLOCK_SIZES_MIN.flatMap((size) => [size, size]))
const NEW_LAGS = repeated(BLOCK_SIZES_MIN.flatMap(() => [LAG_CURRENT, LAG_NEXT]))

export function gathering(fixCount: number, salting: Salting): Gathering {
  const numbers = interner(fixCount * LAYERS) // low word, high word, 0
  const secrets = secretNumbers(salting, numbers, fixCount)
  const pointsMax = fixCount * RISK_POINTS_PER_FIX
  const cells = new BigUint64Array(pointsMax)
  const cellWords = new Uint32Array(cells.buffer)
  const sizes = new Uint8Array(pointsMax)
  const blocks = new Uint32Array(pointsMax)
  const lags = new Uint8Array(pointsMax)
  const secretIndex = new Uint32Array(pointsMax)
  const ofFix = new Uint32Array(pointsMax)
  const cellOfFix = new Uint32Array(fixCount * LAYERS)
  /** For each cell, the number of the first of its first ten points. */
  const firstPoint = new Uint32Array(fixCount * LAYERS)
  let revisits: Revisits | undefined
  let index: Interner | undefined // cell, n, size; numbers as the points
  let indexed = 0 // entries of ofFix
  let count = 0
  let places = 0

  function add(core: Instance, fixes: number): void {
    const { cellWords: words, regions, blocks: blockOf } = core
    let newFrom = 0
    for (let place = 0; place < fixes * LAYERS; place++) {
      const known = numbers.count
      const cell = numbers.intern(words[place * 2]!, words[place * 2 + 1]!, 0)
      const first = Math.floor(place / LAYERS) * SIZES
      const at = places * POINTS_PER_CELL
      cellOfFix[places++] = cell
      if (cell === known) {
        firstPoint[cell] = count
        secrets.numberAll(cell, regions[place]!, blockOf, first, secretIndex, count)
        for (let i = 0; i < POINTS_PER_CELL; i++) ofFix[at + i] = count + i
        count += POINTS_PER_CELL
      } else {
        copyNew(core, newFrom, place)
        newFrom = place + 1
        for (let s = 0; s < SIZES; s++) addKnown(cell, regions[place]!, s, blockOf[first + s]!, at + s * 2)
      }
    }
    copyNew(core, newFrom, fixes * LAYERS)
  }

  /** Copies cells, blocks, sizes and lags of a run of new cells, which are the latest points. */
  function copyNew(core: Instance, from: number, to: number): void {
    if (from === to) return
    const length = (to - from) * POINTS_PER_CELL
    const start = count - length
    cells.set(core.freshCells.subarray(from * POINTS_PER_CELL, to * POINTS_PER_CELL), start)
    blocks.set(core.freshBlocks.subarray(from * POINTS_PER_CELL, to * POINTS_PER_CELL), start)
    sizes.set(NEW_SIZES.subarray(0, length), start)
    lags.set(NEW_LAGS.subarray(0, length), start)
    if (index) indexTo(index, count)
  }

  function addKnown(cell: number, region: number, s: number, n: number, at: number): void {
    revisits ??= newRevisits(fixCount)
    const { block, current, next, latest } = revisits
    const slot = cell * SIZES + s
    if (block[slot] === 0) {
      const point = firstPoint[cell]! + s * 2
      block[slot] = blocks[point]! + 1
      current[slot] = point
      next[slot] = point + 1
      latest[slot] = blocks[point]! + 1
    }
    const last = block[slot]! - 1
    if (last !== n) {
      // A block later than all blocks of this cell has no point yet.
      const isNew = n > latest[slot]!
      current[slot] = last === n - 1 ? next[slot]! : isNew ? append(cell, region, s, n) : find(cell, region, s, n)
      ofFix[at] = current[slot]!
      const isNextNew = n + 1 > latest[slot]!
      next[slot] = isNextNew ? append(cell, region, s, n + 1) : find(cell, region, s, n + 1)
      if (isNextNew) latest[slot] = n + 1
      block[slot] = n + 1
    }
    ofFix[at] = current[slot]!
    ofFix[at + 1] = next[slot]!
    lags[current[slot]!]! |= LAG_CURRENT
    lags[next[slot]!]! |= LAG_NEXT
  }

  function append(cell: number, region: number, s: number, n: number): number {
    const like = firstPoint[cell]!
    cellWords[count * 2] = cellWords[like * 2]!
    cellWords[count * 2 + 1] = cellWords[like * 2 + 1]!
    sizes[count] = BLOCK_SIZES_MIN[s]!
    blocks[count] = n
    secretIndex[count] = secrets.number(cell, region, s, n)
    index?.intern(cell, n, BLOCK_SIZES_MIN[s]!)
    return count++
  }

  function find(cell: number, region: number, s: number, n: number): number {
    if (!index) {
      index = interner(pointsMax)
      indexTo(index, count)
    }
    const point = index.intern(cell, n, BLOCK_SIZES_MIN[s]!)
    return point === count ? append(cell, region, s, n) : point
  }

  /** Indexes the points up to `end`. A point first appears in `ofFix` where its number is the next one. */
  function indexTo(points: Interner, end: number): void {
    for (; points.count < end; indexed++) {
      const point = ofFix[indexed]!
      if (point !== points.count) continue
      points.intern(cellOfFix[Math.floor(indexed / POINTS_PER_CELL)]!, blocks[point]!, sizes[point]!)
    }
  }

  function finish(): RiskPoints {
    // When most of the memory is used, a view saves a copy; otherwise a copy saves memory.
    const from = count * 2 > pointsMax ? 'subarray' : 'slice'
    return {
      count,
      cells: cells[from](0, count),
      sizes: sizes[from](0, count),
      blocks: blocks[from](0, count),
      lags: lags[from](0, count),
      secretIndex: secretIndex[from](0, count),
      needed: secrets.needed(),
      ofFix,
    }
  }

  return { add, finish }
}

/** For each cell seen again and each size: the block of the last fix, its two points, and the latest block of any point. */
interface Revisits {
  /** The block plus one; 0 means none. */
  readonly block: Float64Array
  readonly current: Uint32Array
  readonly next: Uint32Array
  readonly latest: Uint32Array
}

function newRevisits(fixCount: number): Revisits {
  const slots = fixCount * LAYERS * SIZES
  return {
    block: new Float64Array(slots),
    current: new Uint32Array(slots),
    next: new Uint32Array(slots),
    latest: new Uint32Array(slots),
  }
}

function repeated(ten: readonly number[]): Uint8Array {
  const all = new Uint8Array(64 * RISK_POINTS_PER_FIX)
  for (let at = 0; at < all.length; at += ten.length) all.set(ten, at)
  return all
}
