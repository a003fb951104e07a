/**
 * Risk points as risk hashes. PROTOCOL.md §3.5. Each chunk copies its secrets into the module, and the last chunk wipes
 * them. Throws TypeError, RangeError.
 */

import type { Cell, RiskPoints } from '../domain.ts'
import { RISK_HASH_BYTES, SECRET_BYTES } from '../wire/constants.ts'
import { assertBytes } from './assert-bytes.ts'
import { BLOCK_MAX, isBlockSize } from './blocks.ts'
import { assertCell } from './cells.ts'
import type { Instance } from './instance.ts'

/** The risk hash of one point with one secret. */
export function riskHash(core: Instance, secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array {
  assertBytes('secret', secret, SECRET_BYTES)
  assertCell(cell)
  if (!isBlockSize(size)) throw new RangeError(`"size" expected 5, 10, 20, 40 or 80, got ${size}`)
  if (!Number.isInteger(n) || n < 0 || n > BLOCK_MAX) throw new RangeError(`"n" expected 0..${BLOCK_MAX}, got ${n}`)
  core.pointCells[0] = cell
  core.pointBlocks[0] = n
  core.pointSizes[0] = size
  core.pointSecrets[0] = 0
  core.secrets.set(secret)
  core.call.assignSlots(1)
  core.call.hashPoints(1, 1)
  const hash = core.hashes.slice(0, RISK_HASH_BYTES)
  core.call.wipe()
  return hash
}

export function hashRiskPoints(core: Instance, points: RiskPoints, secrets: Uint8Array): Uint8Array {
  assertBytes('secrets', secrets, points.needed.count * SECRET_BYTES)
  assertPoints(points)
  const { count, cells, sizes, blocks, secretIndex, needed } = points
  const hashes = new Uint8Array(count * RISK_HASH_BYTES)
  let from = 0
  while (from < count) {
    const to = Math.min(from + core.points, count)
    core.pointCells.set(cells.subarray(from, to))
    core.pointBlocks.set(blocks.subarray(from, to))
    core.pointSizes.set(sizes.subarray(from, to))
    core.pointSecrets.set(secretIndex.subarray(from, to))
    const assigned = core.call.assignSlots(to - from)
    const [taken, slots] = [assigned >>> 16, assigned & 0xffff]
    if (!copySecrets(core, secrets, slots, needed.count)) {
      core.call.wipe()
      throw new RangeError(`"points.secretIndex" expected less than ${needed.count}`)
    }
    core.call.hashPoints(taken, slots)
    hashes.set(core.hashes.subarray(0, taken * RISK_HASH_BYTES), from * RISK_HASH_BYTES)
    from += taken
  }
  core.call.wipe()
  return hashes
}

/** Checks the lengths of the arrays, because the module trusts them. */
function assertPoints({ count, cells, sizes, blocks, secretIndex }: RiskPoints): void {
  for (const [name, array] of Object.entries({ cells, sizes, blocks, secretIndex })) {
    if (array.length !== count) throw new RangeError(`"points.${name}" expected ${count} entries, got ${array.length}`)
  }
}

/**
 * Copies the secret of each slot into the module. Points and secrets are numbered in the order of their appearance, so
 * most secrets are consecutive and are copied in runs. False when a slot names a secret that does not exist.
 */
function copySecrets({ slotSecrets, secrets: places }: Instance, secrets: Uint8Array, slots: number, count: number) {
  for (let from = 0, to = 0; from < slots; from = to) {
    const first = slotSecrets[from]!
    for (to = from + 1; to < slots && slotSecrets[to] === first + to - from; ) to++
    const end = first + to - from
    if (end > count) return false
    places.set(secrets.subarray(first * SECRET_BYTES, end * SECRET_BYTES), from * SECRET_BYTES)
  }
  return true
}
