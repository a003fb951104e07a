/**
 * `release.json`: the hashes of everything that a build of one commit contains. PROTOCOL.md §4.8, node/README.md "What runs".
 * `npm run release` writes the file. It names a commit, so it is not part of that commit. Throws COMMAND_INVALID.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { type FileTree, hashFile, readTree, treeToHash } from './file-tree.ts'

/** The folders of a checkout that a build fills. */
export const TREES = [
  'core-wasm/build',
  'core-wasm/dist',
  'node/dist',
  'node/console/dist',
  'client/dist',
  'client/app/dist',
] as const
export const APP_TREE = 'client/app/dist'
export const LOCKFILE = 'package-lock.json'
/** A release has about 1,500 files of 120 bytes each. */
const RELEASE_MAX_BYTES = 4 << 20

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const path = z.string().check(z.regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[^\\\0]{1,512}$/))
const tree = z.record(path, hash)
const releaseSchema = z.strictObject({
  version: z.literal(1),
  /** The git commit, in hex. */
  commit: z.string().check(z.regex(/^[0-9a-f]{40}$/)),
  /** The version of Node that built it. */
  node: z.string().check(z.regex(/^\d+\.\d+\.\d+$/)),
  lock: hash,
  trees: z.strictObject(Object.fromEntries(TREES.map((name) => [name, tree])) as Record<Tree, typeof tree>),
})

type Tree = (typeof TREES)[number]
export type Release = z.infer<typeof releaseSchema>
/** The files of a release without the commit that they belong to. */
type Built = Pick<Release, 'lock' | 'trees'>

/** Throws COMMAND_INVALID. */
export function readRelease(file: string): Release {
  const next = 'make one with `npm run release` in a clean clone, or ask an operator for the file'
  const text = readSmallFile(file, { what: 'release', maxBytes: RELEASE_MAX_BYTES, next }).toString('utf8')
  const parsed = releaseSchema.safeParse(toJson(text))
  if (parsed.success) return parsed.data
  const { message, path: at } = parsed.error.issues[0]!
  return invalidCommand(`expected a release in ${file}, got ${at.join('.') || 'something else'}: ${message}`, next)
}

/**
 * The 32 bytes by which a federation names a release, in hex. They do not depend on the version of Node: builds of Node 20
 * and 24 are equal.
 */
export function releaseToId({ commit, lock, trees }: Release): string {
  const id = createHash('sha256').update('geotrace/release\0').update(`${commit}\n${lock}\n`)
  for (const name of TREES) id.update(`${name}\0${treeToHash(trees[name])}\n`)
  return id.digest('hex')
}

/** Hashes a checkout that is built. */
export async function readBuilt(checkout: string): Promise<Built> {
  const entries: [string, FileTree][] = []
  for (const name of TREES) entries.push([name, await readTree(join(checkout, name))])
  return { lock: await hashFile(join(checkout, LOCKFILE)), trees: Object.fromEntries(entries) as Release['trees'] }
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
