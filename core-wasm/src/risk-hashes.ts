/** Risk points as risk hashes. PROTOCOL.md, risk hash. Secrets are copied in once per chunk and wiped after the last. */
import { BLOCK_MAX, isBlockSize } from './blocks.ts'
import { assertBytes } from './bytes.ts'
import { assertCell } from './cells.ts'
import type { Cell, RiskPoints } from './domain.ts'
import type { Instance } from './instance.ts'
import { RISK_HASH_BYTES, SECRET_BYTES } from './wire/constants.ts'

const SECRET_WORDS = SECRET_BYTES / 4

/** The plain form: one point, one secret. */
export function riskHash(core: Instance, secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array {
  assertBytes('secret', secret, SECRET_BYTES)
  assertCell(cell)
  if (!isBlockSize(size)) throw new RangeError(`"size" expected 5, 10, 20, 40 or 80, got ${size}`)
  if (!Number.isInteger(n) || n < 0 || n > BLOCK_MAX) throw new RangeError(`"n" expected 0 … ${BLOCK_MAX}, got ${n}`)
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
  const { slotSecrets, secretWords } = core
  const words = toWords(secrets)
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
    for (let slot = 0, at = 0; slot < slots; slot++) {
      const secret = slotSecrets[slot]!
      if (secret >= needed.count) {
        core.call.wipe()
        throw new RangeError(`"points.secretIndex" expected less than ${needed.count}, got ${secret}`)
      }
      const end = (secret + 1) * SECRET_WORDS
      for (let word = end - SECRET_WORDS; word < end; word++) secretWords[at++] = words[word]!
    }
    core.call.hashPoints(taken, slots)
    hashes.set(core.hashes.subarray(0, taken * RISK_HASH_BYTES), from * RISK_HASH_BYTES)
    from += taken
  }
  core.call.wipe()
  return hashes
}

/** The arrays must be as long as they say: the module trusts them. */
function assertPoints({ count, cells, sizes, blocks, secretIndex }: RiskPoints): void {
  for (const [name, array] of Object.entries({ cells, sizes, blocks, secretIndex })) {
    if (array.length !== count) throw new RangeError(`"points.${name}" expected ${count} entries, got ${array.length}`)
  }
}

/** The same bytes as words: copying eight words costs less than making a view of 32 bytes. */
function toWords(secrets: Uint8Array): Uint32Array {
  const aligned = secrets.byteOffset % 4 === 0 ? secrets : secrets.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}
