/**
 * `geotrace central backup | restore | verify`: copies of the central peer's store. node/CENTRAL.md "The store, and
 * backups". Throws COMMAND_INVALID, STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { adminRequest } from '../../../admin/client.ts'
import type { CentralStore } from '../../../central/store/central-store.ts'
import { levelStore } from '../../../central/store/level/level-store.ts'
import { restoreStore } from '../../../central/store/level/store-backup.ts'
import { systemRandom } from '../../../platform/random.ts'
import { invalidCommand } from '../../terminal/invalid-command.ts'
import { dirOption } from '../../terminal/options.ts'
import type { Output } from '../../terminal/output.ts'
import { assertRole } from '../../terminal/role.ts'
import type { BackupProgress } from './backup-routes.ts'
import { noteBackup } from './last-backup.ts'
import { type StoreOptions, toKeyPath, toServers } from './store-place.ts'

const POLL_MS = 500
const ERASED = 'erased-users'

export async function backUp(path: string, options: StoreOptions, out: Output): Promise<void> {
  const { dir, store } = options
  if (store !== undefined)
    invalidCommand(
      'a store on database servers has no backup in a directory',
      'dump each server with pg_dump (node/CENTRAL.md, "PostgreSQL")',
    )
  const to = resolve(path)
  await assertRole(dir, 'central')
  if (!(await backUpRunning(to, dir, out))) await withStore(options, (open) => open.backUp(to))
  if (await verifyStore({ ...options, path: to }, out)) await noteBackup(dir, systemClock().now())
  out.note(
    `The backup is sealed with the keys in ${toKeyPath(options)}. Nobody reads it without them: keep a copy apart from it.`,
  )
  out.note(`Keep a newer copy of ${join(dir, ERASED)} beside it: a restore erases these users again.`)
}

/** False when no central peer runs in `dir`. */
async function backUpRunning(to: string, dir: string, out: Output): Promise<boolean> {
  try {
    await adminRequest(dir, 'POST', '/backup', { to })
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return false
    throw error
  }
  for (;;) {
    const { state, code, message } = (await adminRequest(dir, 'GET', '/backup')) as BackupProgress
    if (state === 'done') return true
    if (state === 'failed') throw new FederationError(code ?? 'STORAGE_CORRUPT', message ?? '', { what: to } as never)
    out.progress('copying …')
    await pause(POLL_MS)
  }
}

/** With `from` makes the store of the directory; a restored database needs only the last two steps. */
export async function restoreBackup(from: string | undefined, options: StoreOptions, out: Output): Promise<void> {
  const { dir, store } = options
  if (store !== undefined && from !== undefined)
    invalidCommand(
      'a backup in a directory does not go into a database',
      'restore the dump with pg_restore, then give this command --store alone',
    )
  if (store === undefined) {
    if (from === undefined) invalidCommand('the command needs a backup', 'name its directory')
    out.progress('copying …')
    await restoreStore(resolve(from), join(dir, 'store'))
  }
  await verifyStore({ ...options, erasedPath: join(dir, ERASED) }, out)
  out.note('Reports, marks and deposits after the backup are lost. Users who erased themselves since are erased again.')
  out.note(
    `Next: geotrace central run${dirOption(dir, 'central')}${store === undefined ? '' : ' with the same --store'}`,
  )
}

export async function verify(path: string | undefined, options: StoreOptions, out: Output): Promise<void> {
  await verifyStore({ ...options, ...(path !== undefined && { path }) }, out)
}

interface StorePlace extends StoreOptions {
  /** The directory of a store or a backup, in the place of the peer's own store. */
  path?: string
  /** The users to erase again. */
  erasedPath?: string
}

/** Whether the store is sound. */
async function verifyStore(place: StorePlace, out: Output): Promise<boolean> {
  const { condition, parts, users, days } = await withStore(place, async (store) => {
    out.progress('reading …')
    await store.verify()
    return { ...store.condition(), ...(await store.statistics()) }
  })
  const rows = days.reduce((sum, day) => sum + day.rows, 0)
  const where = place.path === undefined && place.store !== undefined ? 'on PostgreSQL' : `in ${toDirectory(place)}`
  out.json({ store: where, condition, parts, users, days: days.length, rows })
  if (condition !== 'sound') out.fails()
  const found = condition === 'sound' ? 'sound' : `damaged in ${parts.join(', ')}`
  out.line(`The store ${where} is ${found}: ${users} users, ${rows} rows on ${days.length} days.`)
  return condition === 'sound'
}

function toDirectory({ dir, path }: StorePlace): string {
  return path ?? join(dir, 'store')
}

export async function withStore<T>(place: StorePlace, task: (store: CentralStore) => Promise<T>): Promise<T> {
  const store = await openStore(place)
  try {
    return await task(store)
  } finally {
    await store.close()
  }
}

async function openStore(place: StorePlace): Promise<CentralStore> {
  const { dir, store: servers, path, storeKeyFile, erasedPath } = place
  const shared = {
    ...{ random: systemRandom, clock: systemClock(), founding: 'never' as const },
    ...(erasedPath !== undefined && { erasedPath }),
  }
  if (path === undefined && servers !== undefined) {
    const { postgresStore } = await import('../../../central/store/postgres/postgres-store.ts')
    return await postgresStore({ urls: toServers(servers), keyPath: toKeyPath(place), ...shared })
  }
  // The keys of a directory, although the store of the peer may be elsewhere now.
  const keyPath = toKeyPath({ dir, ...(storeKeyFile !== undefined && { storeKeyFile }) })
  return await levelStore({ dir: toDirectory(place), keyPath, ...shared })
}
