import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { linesToTree, treeToPath, treeToRoot } from '../../../src/testing/merkle-tree.ts'
import { isValidPath } from '../../../src/wire/encoding/merkle.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

describe('a Merkle tree', () => {
  const naive = (lines: Uint8Array[]): Uint8Array => {
    let level = lines.map((line) => sha(Uint8Array.of(0), line))
    while (Math.log2(level.length) % 1 !== 0) level.push(sha(Uint8Array.of(0), new Uint8Array(32)))
    while (level.length > 1)
      level = level.filter((_, i) => i % 2 === 0).map((left, i) => sha(Uint8Array.of(1), left, level[2 * i + 1]!))
    return level[0]!
  }
  it('a Merkle tree has the root of a plain model, and a path is valid for its own line and place only', () => {
    for (const count of [1, 2, 3, 5, 8, 22, 144]) {
      const lines = Array.from({ length: count }, (_, i) => sha(Buffer.from(`line ${i}`)))
      const tree = linesToTree(new Uint8Array(Buffer.concat(lines)))
      const root = treeToRoot(tree)
      expect(Buffer.from(root)).toEqual(Buffer.from(naive(lines)))
      for (let i = 0; i < count; i++) {
        const path = treeToPath(tree, i)
        expect(isValidPath(lines[i]!, i, count, path, root)).toBe(true)
        expect(isValidPath(lines[i]!, i ^ 1, count, path, root)).toBe(false)
        expect(isValidPath(lines[i]!, i, count, [...path, root], root)).toBe(false)
        expect(isValidPath(sha(Buffer.from('other')), i, count, path, root)).toBe(false)
      }
      expect(isValidPath(lines[0]!, count, count, treeToPath(tree, 0), root)).toBe(false)
    }
    expect(() => linesToTree(new Uint8Array(0))).toThrow(RangeError)
  })
})
