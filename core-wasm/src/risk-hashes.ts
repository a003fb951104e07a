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
  core.pointSizes[0] = size
  core.pointBlocks[0] = n
  core.pointSecrets[0] = 0
  core.secrets.set(secret)
  core.call.hashPoints(1)
  const hash = core.hashes.slice(0, RISK_HASH_BYTES)
  core.call.wipe()
  return hash
}

export function hashRiskPoints(core: Instance, points: RiskPoints, secrets: Uint8Array): Uint8Array {
  assertBytes('secrets', secrets, points.needed.count * SECRET_BYTES)
  assertPoints(points)
  const hashes = new Uint8Array(points.count * RISK_HASH_BYTES)
  // Where each secret lies in the module, and since which chunk.
  const slots = new Uint32Array(points.needed.count)
  const since = new Uint32Array(points.needed.count)
  for (let from = 0, chunk = 1; from < points.count; from += core.batch, chunk++) {
    const to = Math.min(from + core.batch, points.count)
    core.pointCells.set(points.cells.subarray(from, to))
    core.pointSizes.set(points.sizes.subarray(from, to))
    core.pointBlocks.set(points.blocks.subarray(from, to))
    let used = 0
    for (let i = from; i < to; i++) {
      const secret = points.secretIndex[i]!
      if (since[secret] !== chunk) {
        since[secret] = chunk
        core.secrets.set(secrets.subarray(secret * SECRET_BYTES, (secret + 1) * SECRET_BYTES), used * SECRET_BYTES)
        slots[secret] = used++
      }
      core.pointSecrets[i - from] = slots[secret]!
    }
    core.call.hashPoints(to - from)
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
