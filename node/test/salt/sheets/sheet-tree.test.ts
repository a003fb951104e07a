import { linesToTree, treeToPath, treeToRoot } from '@geotrace/core-wasm/testing'
import { concatBytes, isValidPath } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { linesToSheetTree } from '../../../src/salt/sheets/sheet-tree.ts'
import { core } from '../federation.ts'

describe('the Merkle tree of a sheet', () => {
  it('the tree has the root and the paths of the reference tree, for every count and from every first line on', () => {
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
})
