/**
 * Computes the lines of a sheet from a seed: an epoch's 31 salts and commitments give one line of 32 bytes.
 * PROTOCOL.md §5.2. A period with seven days of reserve has 144 lines, the largest manifest 65,536. So the work goes in
 * slices that yield to the event loop.
 */
import { setImmediate } from 'node:timers/promises'
import { BLOCKS_PER_EPOCH, HASH_BYTES, SECRET_BYTES } from '@geotrace/core-wasm/wire'
import { type Hashes, leafToSalts, nextState, saltsToCommitments, stateToLeaf } from '../secrets/ratchet.ts'

/** Epochs computed between two yields to the event loop: some milliseconds of hashing. */
const SLICE_EPOCHS = 64

/** Lines of `count` epochs from `epoch` on, `state` being r of `epoch`; 32 bytes each. */
export async function seedToLines(core: Hashes, state: Uint8Array, epoch: number, count: number): Promise<Uint8Array> {
  const lines = new Uint8Array(count * HASH_BYTES)
  let current = Uint8Array.from(state)
  for (let done = 0; done < count; done += SLICE_EPOCHS) {
    const slice = Math.min(SLICE_EPOCHS, count - done)
    const salts = new Uint8Array(slice * BLOCKS_PER_EPOCH * SECRET_BYTES)
    for (let i = 0; i < slice; i++) {
      const leaf = stateToLeaf(core, current)
      const some = leafToSalts(core, leaf, epoch + done + i)
      salts.set(some, i * BLOCKS_PER_EPOCH * SECRET_BYTES)
      const next = nextState(core, current)
      current.fill(0)
      current = Uint8Array.from(next)
      for (const secret of [leaf, some, next]) secret.fill(0)
    }
    const commitments = saltsToCommitments(core, salts, epoch + done)
    lines.set(core.sha256Batch(commitments, BLOCKS_PER_EPOCH * HASH_BYTES), done * HASH_BYTES)
    salts.fill(0)
    await setImmediate()
  }
  current.fill(0)
  return lines
}
