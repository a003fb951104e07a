import { concatBytes, epochToBlocks, saltToCommitment } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { leafToSalts, saltsToCommitments } from '../../../src/salt/secrets/plain-salts.ts'
import { nextState, ratchetTo, stateToLeaf } from '../../../src/salt/secrets/ratchet.ts'
import { core } from '../federation.ts'
import { model } from '../ratchet-model.ts'

describe('the ratchet', () => {
  it('states, leaves and salts equal those of a plain model over a hundred epochs', () => {
    let state = systemRandom(32)
    for (let epoch = 350_000; epoch < 350_100; epoch++) {
      const leaf = model.hash('geotrace/leaf', state)
      expect(stateToLeaf(core, state)).toEqual(leaf)
      const salts = leafToSalts(core, leaf, epoch)
      const want = epochToBlocks(epoch).map(({ size, n }) => model.salt(leaf, size, n))
      expect(salts).toEqual(concatBytes(...want))
      const next = model.hash('geotrace/ratchet', state)
      expect(nextState(core, state)).toEqual(next)
      state = next
    }
  })

  it('`ratchetTo` reaches the same state in one call as in two, and does not change its argument', () => {
    const state = systemRandom(32)
    const copy = Uint8Array.from(state)
    const stepped = ratchetTo(core, ratchetTo(core, state, 10, 13), 13, 20)
    expect(ratchetTo(core, state, 10, 20)).toEqual(stepped)
    expect(ratchetTo(core, state, 10, 21)).not.toEqual(stepped)
    expect(state).toEqual(copy)
  })

  it('the commitments of three epochs at once equal those of the wire', () => {
    const salts = systemRandom(3 * 31 * 32)
    const commitments = saltsToCommitments(core, salts, 77)
    const blocks = [77, 78, 79].flatMap((epoch) => epochToBlocks(epoch))
    expect(blocks).toHaveLength(93)
    for (const [i, { size, n }] of blocks.entries()) {
      const want = saltToCommitment(size, n, salts.slice(32 * i, 32 * i + 32))
      expect(commitments.slice(32 * i, 32 * i + 32)).toEqual(want)
    }
  })
})
