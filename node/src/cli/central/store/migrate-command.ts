/**
 * `geotrace central migrate`: copies the store of a directory into an empty one on PostgreSQL servers. node/CENTRAL.md
 * "From the directory to PostgreSQL". The source stays as it is. A command that was killed goes on when it is repeated.
 * Throws COMMAND_INVALID, STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { grouped } from '../../../admin/page/words.ts'
import { levelStore } from '../../../central/store/level/level-store.ts'
import { systemRandom } from '../../../platform/random.ts'
import { invalidCommand } from '../../terminal/invalid-command.ts'
import { dirOption } from '../../terminal/options.ts'
import { type Output, toTable } from '../../terminal/output.ts'
import { assertRole } from '../../terminal/role.ts'
import { type StoreOptions, toKeyPath, toServers } from './store-place.ts'

export interface MigrateOptions extends StoreOptions {
  fromKeyFile?: string
}

export async function migrateStore(options: MigrateOptions, out: Output): Promise<void> {
  const { dir, fromKeyFile, store } = options
  await assertRole(dir, 'central')
  if (store === undefined)
    invalidCommand('the command needs the servers of the new store', 'give --store postgres://user@host/database')
  const [urls, keyPath] = [toServers(store), toKeyPath(options)]
  const { copyToPostgres } = await import('../../../central/store/postgres/copy/store-copy.ts')
  const shared = { random: systemRandom, clock: systemClock() }
  const from = await levelStore({
    dir: join(dir, 'store'),
    keyPath: fromKeyFile ?? join(dir, 'store.keys'),
    erasedPath: join(dir, 'erased-users'),
    ...shared,
    founding: 'never',
  })
  try {
    const onPart = (name: string, step: string): void => out.progress(`${name}: ${step}`)
    const parts = await copyToPostgres({ source: from.source(), urls, keyPath, ...shared, onPart })
    out.json({ dir, servers: urls.length, keys: keyPath, parts })
    const rows = Object.entries(parts).map(([name, part]) => [name, grouped(part.count), part.digest.slice(0, 16)])
    for (const line of toTable([['part', 'entries', 'digest'], ...rows])) out.line(line)
    out.line('The copy is whole: each part was read in both stores and has the same digest.')
    out.note(`The keys of the new store are in ${keyPath}. Nobody reads it without them: keep a copy apart from it.`)
    out.note(`Next: geotrace central run${dirOption(dir, 'central')} with the same --store`)
    out.note(`Keep ${join(dir, 'store')} until the peer serves; then delete it, because it has the old data.`)
  } finally {
    await from.close()
  }
}
