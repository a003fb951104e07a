/**
 * Writes small files atomically: after a crash or a power cut a file has its old content or its new one.
 * Files get mode 0600, directories 0700.
 */
import { existsSync } from 'node:fs'
import { chmod, link, lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Creates or replaces `path`. Content and name are on the disk when the promise resolves. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const fresh = await writeBeside(path, content)
  await rename(fresh, path)
  await syncDirectory(dirname(path))
}

/** Creates all these files or none of them, in this order. Rejects with EEXIST when one exists that is not replaced. */
export async function createFiles(files: readonly NewFile[]): Promise<void> {
  const fresh: string[] = []
  const made: string[] = []
  try {
    for (const { path, content } of files) fresh.push(await writeBeside(path, content))
    for (const [i, { path, replaces = false }] of files.entries()) {
      if (replaces) await rename(fresh[i]!, path)
      else await giveName(fresh[i]!, path)
      made.push(path)
    }
    for (const dir of new Set(files.map(({ path }) => dirname(path)))) await syncDirectory(dir)
  } catch (error) {
    for (const path of made) await rm(path, { force: true })
    throw error
  } finally {
    for (const path of fresh) await rm(path, { force: true })
  }
}

export interface NewFile {
  path: string
  content: string | Uint8Array
  replaces?: true
}

/** Writes the content under another name in the same directory and returns that name. Leaves nothing when it fails. */
async function writeBeside(path: string, content: string | Uint8Array): Promise<string> {
  const fresh = `${path}.new`
  try {
    await rm(fresh, { force: true })
    // Exclusive, so that a link created there in the meantime is not followed.
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    return fresh
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw named(error, path)
  }
}

/** A link fails when the name exists, and a rename would not. File systems of memory sticks have no links. */
async function giveName(fresh: string, path: string): Promise<void> {
  try {
    await link(fresh, path)
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw named(error, path)
    const isTaken = await lstat(path).catch(() => undefined)
    if (isTaken !== undefined) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST', errno: -17, path })
    await rename(fresh, path)
  }
}

/** Names the file that the caller knows, because a failed write names none. */
function named(error: unknown, path: string): unknown {
  return Object.assign(error as object, { path })
}

/** Makes new and removed names in a directory durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates `dir` if it is missing. Only its owner may read it. */
export async function makePrivateDir(dir: string): Promise<void> {
  await makeDirs(dir)
  await chmod(dir, 0o700)
}

/**
 * Creates `dir` and the folders above it that are missing, with mode 0700, and returns their paths. One call of `mkdir` for
 * all of them would report a read-only disk as a missing folder.
 */
export async function makeDirs(dir: string): Promise<readonly string[]> {
  const missing = missingDirs(dir)
  for (const path of missing) {
    // Another process may make it at the same time.
    await mkdir(path, { mode: 0o700 }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(path)) throw error
    })
  }
  return missing
}

/** `dir` and the folders above it that do not exist, from the top. */
export function missingDirs(dir: string): string[] {
  const missing: string[] = []
  for (let at = resolve(dir); !existsSync(at); at = dirname(at)) missing.unshift(at)
  return missing
}

/** Removes folders that `makeDirs` made, as far as they are empty. */
export async function removeDirs(made: readonly string[]): Promise<void> {
  for (const path of made.toReversed()) await rmdir(path).catch(() => {})
}
