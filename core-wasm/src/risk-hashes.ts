/** Risk points as risk hashes. PROTOCOL.md, risk hash. Secrets are copied in once per chunk and wiped after the last. */
import { BLOCK_MAX, isBlockSize } from './blocks.ts'
import { assertBytes } from './bytes.ts'
import { assertCell } from './cells.ts'
import type { Cell, RiskPoints } from './domain.ts'
import type { Instance } from './instance.ts'
import { RISK_HASH_BYTES, SECRET_BYTES } from './wire/constants.ts'

/** The plain form: one point, one secret. */
export function riskHash(core: Instance, secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array {
  assertBytes('secret', secret, SECRET_BYTES)
  assertCell(cell)
  if (!isBlockSize(size)) throw new RangeError(`"size" expected 5, 10, 20, 40 or 80, got ${size}`)
  if (!Number.isInteger(n) || n < 0 || n > BLOCK_MAX) throw new RangeError(`"n" expected 0 … ${BLOCK_MAX}, got ${n}`)
  core.pointCells[0] = cell
  core.pointSlots[0] = 0
  core.slotBlocks[0] = n
  core.slotSizes[0] = size
  core.secrets.set(secret)
  core.call.hashPoints(1, 1)
  const hash = core.hashes.slice(0, RISK_HASH_BYTES)
  core.call.wipe()
  return hash
}

export function hashRiskPoints(core: Instance, points: RiskPoints, secrets: Uint8Array): Uint8Array {
  assertBytes('secrets', secrets, points.needed.count * SECRET_BYTES)
  assertPoints(points)
  const { count, cells, sizes, blocks, secretIndex } = points
  const { batch, pointSlots, slotBlocks, slotSizes } = core
  const hashes = new Uint8Array(count * RISK_HASH_BYTES)
  // The slot that each secret was last put into, and in which chunk that was.
  const slotOf = new Uint16Array(points.needed.count)
  const since = new Uint32Array(points.needed.count)
  for (let from = 0, chunk = 1; from < count; from += batch, chunk++) {
    const to = Math.min(from + batch, count)
    core.pointCells.set(cells.subarray(from, to))
    let slots = 0
    for (let i = from; i < to; i++) {
      const secret = secretIndex[i]!
      const n = blocks[i]!
      const size = sizes[i]!
      let slot = slotOf[secret]!
      // A salt belongs to one block; a cell's key serves all blocks of an epoch, each in a slot of its own.
      if (since[secret] !== chunk || slotBlocks[slot] !== n || slotSizes[slot] !== size) {
        slot = slots++
        since[secret] = chunk
        slotOf[secret] = slot
        slotBlocks[slot] = n
        slotSizes[slot] = size
        const at = secret * SECRET_BYTES
        core.secrets.set(secrets.subarray(at, at + SECRET_BYTES), slot * SECRET_BYTES)
      }
      pointSlots[i - from] = slot
    }
    core.call.hashPoints(to - from, slots)
    hashes.set(core.hashes.subarray(0, (to - from) * RISK_HASH_BYTES), from * RISK_HASH_BYTES)
  }
  core.call.wipe()
  return hashes
}

/** The arrays must be as long as they say, and name secrets that exist: the module trusts them. */
function assertPoints({ count, cells, sizes, blocks, secretIndex, needed }: RiskPoints): void {
  for (const [name, array] of Object.entries({ cells, sizes, blocks, secretIndex })) {
    if (array.length !== count) throw new RangeError(`"points.${name}" expected ${count} entries, got ${array.length}`)
  }
  for (const index of secretIndex) {
    if (index >= needed.count)
      throw new RangeError(`"points.secretIndex" expected less than ${needed.count}, got ${index}`)
  }
}
