/**
 * The release that the volunteer put into the node's directory, and how this installation differs from it. node/README.md
 * "What runs". A node claims the release only when no file differs.
 * Throws COMMAND_INVALID for a file that is no release.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PACKAGE_ROOT } from '../terminal/package-root.ts'
import { comparePackage } from './build.ts'
import type { Difference, FileTree } from './file-tree.ts'
import { APP_TREE, readRelease, releaseToId } from './release.ts'

export const RELEASE_FILE = 'release.json'

export interface OwnRelease {
  /** The id of the release, in hex. */
  readonly id: string
  /** The files of the web app. */
  readonly app: FileTree
  /** The files of this installation that are not those of the release. */
  readonly differences: readonly Difference[]
}

/** Undefined when the directory has no release. */
export async function readOwnRelease(dir: string): Promise<OwnRelease | undefined> {
  const file = join(dir, RELEASE_FILE)
  if (!existsSync(file)) return undefined
  const release = readRelease(file)
  const node = fileURLToPath(PACKAGE_ROOT)
  // The core is beside the node, in a checkout and in an installation.
  const found = ['node', 'core-wasm'].map(async (name) => {
    const own = await comparePackage(release, name, join(node, '..', name))
    return own.map((item) => ({ ...item, path: `${name}/${item.path}` }))
  })
  return { id: releaseToId(release), app: release.trees[APP_TREE], differences: (await Promise.all(found)).flat() }
}
