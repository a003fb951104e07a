/**
 * The files below a folder with their SHA-256, and how two such trees differ. Pure but for `readTree`.
 * The hash of a tree is SHA-256 over the lines `path NUL hash LF` in the order of their bytes.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** SHA-256 in hex by path; paths have slashes on every system. */
export type FileTree = Readonly<Record<string, string>>
export interface Difference {
  readonly path: string
  readonly how: 'changed' | 'missing' | 'added'
  /** The SHA-256 of what is there, in hex; undefined when nothing is. */
  readonly seen?: string | undefined
}

/** Files that a build leaves for itself, which no package contains. */
const LEFT_OUT = /(^|\/)\.tsbuildinfo$/
/** More files are no build of this project. */
const FILES_MAX = 20_000

/** Throws RangeError above 20,000 files, and errors of the file system; a missing folder is an empty tree. */
export async function readTree(folder: string): Promise<FileTree> {
  const tree: Record<string, string> = {}
  for (const path of await filesBelow(folder)) tree[path] = await hashFile(join(folder, path))
  return tree
}

export function treeToHash(tree: FileTree): string {
  const hash = createHash('sha256')
  for (const path of Object.keys(tree).sort(byBytes)) hash.update(`${path}\0${tree[path]}\n`)
  return hash.digest('hex')
}

/** How `seen` differs from `expected`, by path. */
export function differences(expected: FileTree, seen: FileTree): Difference[] {
  const paths = [...new Set([...Object.keys(expected), ...Object.keys(seen)])].sort(byBytes)
  return paths.flatMap((path): Difference[] => {
    const [old, now] = [expected[path], seen[path]]
    if (old === now) return []
    if (now === undefined) return [{ path, how: 'missing' }]
    return [{ path, how: old === undefined ? 'added' : 'changed', seen: now }]
  })
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = []
  const open = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.isDirectory()) await open(below)
      else if (!LEFT_OUT.test(below)) found.push(below)
      if (found.length > FILES_MAX) throw new RangeError(`expected at most ${FILES_MAX} files in ${folder}, got more`)
    }
  }
  try {
    await open('')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return found
}

/** The order of code units, which no locale changes. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
