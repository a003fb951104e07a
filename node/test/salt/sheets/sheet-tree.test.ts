import { linesToTree, treeToPath, treeToRoot } from '@geotrace/core-wasm/testing'
import { concatBytes, isValidPath } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { linesToSheetTree } from '../../../src/salt/sheets/sheet-tree.ts'
import { core } from '../federation.ts'

describe('the Merkle tree of a sheet', () => {
  it('the tree has the root and the paths of the reference tree, for every count', () => {
    for (const count of [1, 2, 3, 5, 8, 21, 32, 33]) {
      const lines = systemRandom(32 * count)
      const reference = linesToTree(lines)
      const tree = linesToSheetTree(core, lines)
      expect(tree.root).toEqual(treeToRoot(reference))
      for (let i = 0; i < count; i++) {
        expect(concatBytes(...tree.path(i))).toEqual(concatBytes(...treeToPath(reference, i)))
        expect(isValidPath(lines.slice(32 * i, 32 * i + 32), i, count, tree.path(i), tree.root)).toBe(true)
      }
      expect(() => tree.path(count)).toThrow(RangeError)
      expect(() => tree.path(-1)).toThrow(RangeError)
    }
  })
})
