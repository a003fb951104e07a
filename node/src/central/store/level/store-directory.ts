/**
 * The directory of a central store: a marker file, the database `meta`, and one database for each UTC day. PROTOCOL.md §8.
 * After the founding, a missing part is an error and never becomes an empty store. Throws STORE_MISSING, STORAGE_CORRUPT.
 *
 *   store.json        { version, state }        0600
 *   witness.json      { tallies }               0600; what the databases must have
 *   users.secrets     a secret of each user      0600; an erasure destroys it
 *   meta/             users, syncs, marks, reports, codes, pins
 *   day-20650/        rows of that UTC day; retention removes the directory
 */
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { FederationError } from '@geotrace/core-wasm/wire'
import { makeDirs } from '../../../platform/atomic-file.ts'
import { readCheckedFile, writeCheckedFile } from '../checked-file.ts'
import { corrupt } from '../sealed-value.ts'

const VERSION = 6
export const MARKER = 'store.json'

interface Marker {
  version: number
  /** `restored`: the store came from a backup, and the erasures since then are not repeated yet. */
  state: 'founding' | 'ready' | 'restored'
}

/**
 * Whether a missing store is founded. `never`: the peer was founded, so its store is lost or not mounted. `anew`: the
 * authority gave the old store up; an existing store is refused, so that the setting cannot stay and hide the next loss.
 */
export type Founding = 'if-missing' | 'never' | 'anew'
interface StoreDirectoryInit {
  dir: string
  founding: Founding
  /** Makes the databases at the founding; an interrupted founding starts again. */
  found(): Promise<void>
}

/**
 * Returns whether the store was made from a backup. Throws STORE_MISSING without a marker, STORAGE_CORRUPT for a damaged marker, and
 * COMMAND_INVALID for a store that must not exist.
 */
export async function openStoreDirectory({ dir, founding, found }: StoreDirectoryInit): Promise<boolean> {
  // LevelDB creates files with the umask of the process. A thread must not change the umask; there the mode 0700 of the
  // directory is the only protection.
  if (isMainThread) process.umask(0o077)
  // A store that must exist already is not made by the search for it.
  if (founding !== 'never') await makeDirs(dir)
  const known = await readMarker(dir)
  const names = existsSync(dir) ? await readdir(dir) : []
  if (known?.state === 'ready' || known?.state === 'restored') {
    if (founding !== 'anew') return known.state === 'restored'
    const reason = 'the store exists, so the peer does not begin with an empty one; run it without --new-store'
    throw new FederationError('COMMAND_INVALID', reason, { reason })
  }
  if (known === undefined && names.some((name) => name === 'meta' || name.startsWith('day-'))) {
    throw new FederationError(
      'STORE_MISSING',
      `the store has databases but no ${MARKER}; restore the file from the backup`,
      { dir },
    )
  }
  if (known === undefined && founding === 'never') {
    throw new FederationError('STORE_MISSING', 'this peer was founded, and its store is missing or empty', { dir })
  }
  await writeMarker(dir, { version: VERSION, state: 'founding' })
  await rm(join(dir, 'meta'), { recursive: true, force: true })
  await found()
  await writeMarker(dir, { version: VERSION, state: 'ready' })
  return false
}

/** Gives a copy of a store the marker of the store, and makes its copied databases a store. Throws STORE_MISSING. */
export async function copyMarker(from: string, to: string, state: 'ready' | 'restored'): Promise<void> {
  await writeMarker(to, { ...(await assertMarked(from)), state })
}

/** The marker of a whole store. Throws STORE_MISSING. */
export async function assertMarked(dir: string): Promise<Marker> {
  const marker = await readMarker(dir)
  if (marker !== undefined) return marker
  throw new FederationError('STORE_MISSING', `${dir} is no backup of a store, or an unfinished one`, { dir })
}

const STATES: readonly string[] = ['founding', 'ready', 'restored'] satisfies Marker['state'][]

async function readMarker(dir: string): Promise<Marker | undefined> {
  const content = await readCheckedFile(join(dir, MARKER))
  if (content === undefined) return undefined
  const { version, state } = content as Partial<Marker>
  if (version !== VERSION || !STATES.includes(state!)) return corrupt(MARKER)
  return { version, state: state! }
}

async function writeMarker(dir: string, marker: Marker): Promise<void> {
  await writeCheckedFile(join(dir, MARKER), marker)
}
