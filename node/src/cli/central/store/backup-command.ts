/**
 * `geotrace central backup | restore | verify`: copies of the central peer's store. node/CENTRAL.md "The store, and
 * backups". Throws COMMAND_INVALID, STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { adminRequest } from '../../admin/client.ts'
import type { CentralStore } from '../../central/store/central-store.ts'
import { levelStore } from '../../central/store/level/level-store.ts'
import { restoreStore } from '../../central/store/level/store-backup.ts'
import { systemRandom } from '../../platform/random.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import type { BackupProgress } from './backup-routes.ts'
import { noteBackup } from './last-backup.ts'

const POLL_MS = 500

export interface StoreOptions {
  dir: string
  storeKeyFile?: string
}

export async function backUp(path: string, options: StoreOptions, out: Output): Promise<void> {
  const { dir } = options
  const [to, keyPath] = [resolve(path), toKeyPath(options)]
  await assertRole(dir, 'central')
  if (!(await backUpRunning(to, dir, out))) await withStore(join(dir, 'store'), keyPath, (store) => store.backUp(to))
  if (await verifyStore(to, keyPath, out)) await noteBackup(dir, systemClock().now())
  out.note(`The backup is sealed with the keys in ${keyPath}. Nobody reads it without them: keep a copy apart from it.`)
  out.note(`Keep a newer copy of ${join(dir, 'erased-users')} beside it: a restore erases these users again.`)
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

export async function restoreBackup(from: string, options: StoreOptions, out: Output): Promise<void> {
  const { dir } = options
  const store = join(dir, 'store')
  out.progress('copying …')
  await restoreStore(resolve(from), store)
  await verifyStore(store, toKeyPath(options), out, join(dir, 'erased-users'))
  out.note('Reports, marks and deposits after the backup are lost. Users who erased themselves since are erased again.')
  out.note(`Next: geotrace central run${dirOption(dir, 'central')}`)
}

export async function verify(store: string | undefined, options: StoreOptions, out: Output): Promise<void> {
  await verifyStore(store ?? join(options.dir, 'store'), toKeyPath(options), out)
}

function toKeyPath({ dir, storeKeyFile }: StoreOptions): string {
  return storeKeyFile ?? join(dir, 'store.keys')
}

/** Whether the store is sound. */
async function verifyStore(dir: string, keyPath: string, out: Output, erasedPath?: string): Promise<boolean> {
  const { condition, parts, users, days } = await withStore(
    dir,
    keyPath,
    async (store) => {
      out.progress('reading …')
      await store.verify()
      return { ...store.condition(), ...(await store.statistics()) }
    },
    erasedPath,
  )
  const rows = days.reduce((sum, day) => sum + day.rows, 0)
  out.json({ store: dir, condition, parts, users, days: days.length, rows })
  if (condition !== 'sound') out.fails()
  const found = condition === 'sound' ? 'sound' : `damaged in ${parts.join(', ')}`
  out.line(`The store in ${dir} is ${found}: ${users} users, ${rows} rows on ${days.length} days.`)
  return condition === 'sound'
}

async function withStore<T>(
  dir: string,
  keyPath: string,
  task: (store: CentralStore) => Promise<T>,
  erasedPath?: string,
): Promise<T> {
  const init = { dir, keyPath, random: systemRandom, clock: systemClock(), founding: 'never' as const }
  const store = await levelStore({ ...init, ...(erasedPath !== undefined && { erasedPath }) })
  try {
    return await task(store)
  } finally {
    await store.close()
  }
}
