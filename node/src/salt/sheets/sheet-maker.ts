/**
 * Computes the lines of one part of a sheet from its seed. PROTOCOL.md §5.2. A period with seven days of reserve has 144
 * lines, the largest manifest 65,536. So the work goes in slices that yield to the event loop.
 */
import { setImmediate } from 'node:timers/promises'
import { HASH_BYTES } from '@geotrace/core-wasm/wire'
import { type Hashes, nextState, stateToLeaf } from '../secrets/ratchet.ts'

/** How a salting makes lines. */
export interface LineRule {
  /** Epochs that are computed between two yields to the event loop, some milliseconds of work. */
  readonly sliceEpochs: number
  /** The lines of consecutive epochs, 32 bytes each, from their leaves; `epoch` is the first. */
  toLines(leaves: readonly Uint8Array[], epoch: number): Uint8Array
}

/** Lines of `count` epochs from `epoch` on, `state` being r of `epoch`; 32 bytes each. */
export async function seedToLines(
  core: Hashes,
  rule: LineRule,
  state: Uint8Array,
  epoch: number,
  count: number,
): Promise<Uint8Array> {
  const lines = new Uint8Array(count * HASH_BYTES)
  let current = Uint8Array.from(state)
  for (let done = 0; done < count; done += rule.sliceEpochs) {
    const leaves: Uint8Array[] = []
    for (let i = 0; i < Math.min(rule.sliceEpochs, count - done); i++) {
      leaves.push(stateToLeaf(core, current))
      const next = nextState(core, current)
      current.fill(0)
      current = Uint8Array.from(next)
      next.fill(0)
    }
    lines.set(rule.toLines(leaves, epoch + done), done * HASH_BYTES)
    for (const leaf of leaves) leaf.fill(0)
    await setImmediate()
  }
  current.fill(0)
  return lines
}
