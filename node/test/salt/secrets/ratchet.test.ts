import { createHash, createHmac } from 'node:crypto'
import { linesToTree, treeToPath, treeToRoot } from '@geotrace/core-wasm/testing'
import { commitmentsToLine, concatBytes, epochToBlocks, isValidPath, saltToCommitment } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import {
  leafToSalts,
  nextState,
  ratchetTo,
  saltsToCommitments,
  stateToLeaf,
} from '../../../src/salt/secrets/ratchet.ts'
import { seedToLines } from '../../../src/salt/sheets/sheet-maker.ts'
import { linesToSheetTree } from '../../../src/salt/sheets/sheet-tree.ts'
import { core } from '../federation.ts'

/** The same by node:crypto alone, from the words of PROTOCOL.md §5.1 and §5.2. */
const model = {
  hash: (domain: string, state: Uint8Array) =>
    new Uint8Array(createHash('sha256').update(domain).update(state).digest()),
  salt(leaf: Uint8Array, size: number, n: number) {
    const message = Buffer.alloc(18)
    message.write('geotrace/salt')
    message.writeUInt8(size, 13)
    message.writeUInt32BE(n, 14)
    return new Uint8Array(createHmac('sha256', leaf).update(message).digest())
  },
  line(leaf: Uint8Array, epoch: number) {
    return commitmentsToLine(
      concatBytes(...epochToBlocks(epoch).map(({ size, n }) => saltToCommitment(size, n, model.salt(leaf, size, n)))),
    )
  },
}

describe('the ratchet', () => {
  it('agrees with a plain model over a hundred epochs', () => {
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

  it('reaches the same state in one go as step by step, and leaves its argument alone', () => {
    const state = systemRandom(32)
    const copy = Uint8Array.from(state)
    const stepped = ratchetTo(core, ratchetTo(core, state, 10, 13), 13, 20)
    expect(ratchetTo(core, state, 10, 20)).toEqual(stepped)
    expect(ratchetTo(core, state, 10, 21)).not.toEqual(stepped)
    expect(state).toEqual(copy)
  })

  it('commits to salts as the wire says, over several epochs at once', () => {
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

describe('a sheet', () => {
  it('has the lines of the plain model, across slices', async () => {
    const state = systemRandom(32)
    const lines = await seedToLines(core, state, 5_000, 130)
    let current = state
    for (let i = 0; i < 130; i++) {
      expect(lines.slice(32 * i, 32 * i + 32)).toEqual(model.line(model.hash('geotrace/leaf', current), 5_000 + i))
      current = model.hash('geotrace/ratchet', current)
    }
  })

  it('has the root and paths of the wire for every count, and from every first line on', () => {
    for (const count of [1, 2, 3, 5, 8, 21, 32, 33]) {
      const lines = systemRandom(32 * count)
      const tree = linesToTree(lines)
      const whole = linesToSheetTree(core, lines, count)
      expect(whole.root).toEqual(treeToRoot(tree))
      for (let first = 0; first < count; first++) {
        const late = linesToSheetTree(core, lines.slice(32 * first), count, first, treeToPath(tree, first))
        expect(late.root).toEqual(whole.root)
        for (let i = first; i < count; i++) {
          expect(concatBytes(...late.path(i))).toEqual(concatBytes(...treeToPath(tree, i)))
          expect(isValidPath(lines.slice(32 * i, 32 * i + 32), i, count, late.path(i), whole.root)).toBe(true)
        }
        if (first > 0) expect(() => late.path(first - 1)).toThrow(RangeError)
      }
    }
  })

  it('of 8,600 epochs is made while others have their turns', async () => {
    let turns = 0
    const state = systemRandom(32)
    const counting = setInterval(() => turns++, 1)
    const lines = await seedToLines(core, state, 350_000, 8_600)
    clearInterval(counting)
    expect(turns).toBeGreaterThan(10)
    const leaf = stateToLeaf(core, ratchetTo(core, state, 350_000, 358_599))
    expect(lines.slice(-32)).toEqual(model.line(leaf, 358_599))
  })
})
