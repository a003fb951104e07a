/**
 * Fixes as risk points, each (cell, size, n) once. PROTOCOL.md, time and risk hash. The module computes cells, regions
 * and blocks in chunks; here they are numbered, merged and paired with the secrets they need.
 */
import { assertTime, epochOf } from './blocks.ts'
import { assertPosition } from './cells.ts'
import type { Fix, NeededSecrets, RiskPoints, Salting } from './domain.ts'
import type { Instance } from './instance.ts'
import { type Interner, interner } from './interner.ts'
import { BLOCK_SIZES_MIN, RISK_POINTS_PER_FIX } from './wire/constants.ts'

const LAYERS = 3
const LAG_CURRENT = 1
const LAG_NEXT = 2
/** Neither a block nor the one before block 0. */
const NO_BLOCK = -2
const SIZES = BLOCK_SIZES_MIN.length
/** Thirty without merging; somebody who stays has a third of that. */
const POINTS_EXPECTED_PER_FIX = 16

export function fixesToRiskPoints(
  core: Instance,
  fixes: readonly Pick<Fix, 'lat' | 'lng' | 'at'>[],
  salting: Salting,
): RiskPoints {
  fixes.forEach(assertFix)
  const gathering = gather(fixes.length, salting)
  for (let from = 0; from < fixes.length; from += core.batch) {
    const chunk = fixes.slice(from, from + core.batch)
    chunk.forEach(({ lat, lng, at }, i) => {
      core.lats[i] = lat
      core.lngs[i] = lng
      core.times[i] = at
    })
    core.call.fixesToPoints(chunk.length)
    for (let i = 0; i < chunk.length; i++) gathering.add(core, i)
  }
  core.call.wipe()
  return gathering.finish()
}

function assertFix(fix: Pick<Fix, 'lat' | 'lng' | 'at'>): void {
  assertPosition(fix.lat, fix.lng)
  assertTime(fix.at)
}

/** Takes fixes one by one out of the module's areas; `ofFix` is the only thing whose size is known beforehand. */
function gather(fixCount: number, salting: Salting) {
  const cells = interner() // low word, high word, 0
  const points = interner(fixCount * POINTS_EXPECTED_PER_FIX) // number of the cell, n, size
  const secrets = interner() // plain: region, n, size; otherwise number of the cell, epoch, 0
  const lags: number[] = []
  const secretIndex: number[] = []
  const ofFix = new Uint32Array(fixCount * RISK_POINTS_PER_FIX)
  // Of each cell and size the fix before: its block and the points of that and the next. Whoever stays meets them again.
  const lastBlock: number[] = []
  const lastCurrent: number[] = []
  const lastNext: number[] = []
  let at = 0

  function internPoint(cell: number, region: number, size: number, n: number): number {
    const point = points.intern(cell, n, size)
    if (point === lags.length) {
      lags.push(0)
      const secret = salting === 'plain' ? secrets.intern(region, n, size) : secrets.intern(cell, epochOf(size, n), 0)
      secretIndex.push(secret)
    }
    return point
  }

  function addBlock(cell: number, region: number, s: number, n: number): void {
    const size = BLOCK_SIZES_MIN[s]!
    const slot = cell * SIZES + s
    const last = lastBlock[slot]!
    if (last !== n) {
      lastCurrent[slot] = last === n - 1 ? lastNext[slot]! : internPoint(cell, region, size, n)
      lastNext[slot] = internPoint(cell, region, size, n + 1)
      lastBlock[slot] = n
    }
    const [current, next] = [lastCurrent[slot]!, lastNext[slot]!]
    lags[current]! |= LAG_CURRENT
    lags[next]! |= LAG_NEXT
    ofFix[at++] = current
    ofFix[at++] = next
  }

  function add(core: Instance, fix: number): void {
    for (let place = fix * LAYERS; place < (fix + 1) * LAYERS; place++) {
      const cell = cells.intern(core.cellWords[place * 2]!, core.cellWords[place * 2 + 1]!, 0)
      while (lastBlock.length < cells.count * SIZES) {
        lastBlock.push(NO_BLOCK)
        lastCurrent.push(0)
        lastNext.push(0)
      }
      for (let s = 0; s < SIZES; s++) addBlock(cell, core.regions[place]!, s, core.blocks[fix * SIZES + s]!)
    }
  }

  function finish(): RiskPoints {
    const count = secrets.count
    const needed: NeededSecrets =
      salting === 'plain'
        ? {
            salting,
            count,
            regions: secrets.column(0),
            sizes: Uint8Array.from(secrets.column(2)),
            blocks: secrets.column(1),
          }
        : { salting, count, cells: toIds(cells, secrets.column(0)), epochs: secrets.column(1) }
    return {
      count: points.count,
      cells: toIds(cells, points.column(0)),
      sizes: Uint8Array.from(points.column(2)),
      blocks: points.column(1),
      lags: Uint8Array.from(lags),
      secretIndex: Uint32Array.from(secretIndex),
      needed,
      ofFix,
    }
  }

  return { add, finish }
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
