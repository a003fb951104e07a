/**
 * Opens the servers of a store on PostgreSQL, and finds out whether they have this store. node/CENTRAL.md "PostgreSQL".
 * Throws STORE_MISSING, STORAGE_CORRUPT, COMMAND_INVALID, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { FederationError, utf8 } from '@geotrace/core-wasm/wire'
import { openRatchetKeys, type RatchetKeys } from './ratchet-keys.ts'
import { migrate, readVersion } from './schema.ts'
import { openServer, type Server } from './server.ts'
import { type ServerGroup, toBytes } from './server-group.ts'

const SERVERS_MAX = 64
const COPY = 'copy'

export type PostgresFounding = 'if-missing' | 'never' | 'anew'

export async function openServers(urls: readonly string[], clock: Clock): Promise<Server[]> {
  if (urls.length === 0 || urls.length > SERVERS_MAX)
    invalidStore(`a store expected 1..${SERVERS_MAX} database servers`)
  const servers: Server[] = []
  try {
    for (const [i, url] of urls.entries()) {
      const name = urls.length === 1 ? 'the database server' : `database server ${i + 1} of ${urls.length}`
      servers.push(await openServer({ url, name, clock }))
    }
    return servers
  } catch (error) {
    await closeServers(servers)
    throw error
  }
}

export async function closeServers(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}

/** Founds the store or brings its tables to this version, and reads its keys. */
export async function openKeys(
  servers: readonly Server[],
  keyPath: string,
  random: Random,
  founding: PostgresFounding,
): Promise<RatchetKeys> {
  const versions = await Promise.all(servers.map(readVersion))
  const isThere = versions.every((version) => version > 0)
  if (!isThere && founding === 'never') {
    const text = 'the database has no store; give the right address, or restore the last backup'
    throw new FederationError('STORE_MISSING', text, { dir: 'database' })
  }
  if (isThere && founding === 'anew') invalidStore('the database has a store; give an empty database')
  for (const server of servers) await migrate(server)
  const [mark] = await servers[0]!.query("select b from setting where name = 'store'")
  return await openRatchetKeys(keyPath, random, mark === undefined)
}

/** Each server knows its place, sealed with the keys of the store. Throws STORAGE_CORRUPT for other keys. */
export async function assertServers({ servers, seal, open }: ServerGroup, fresh: string): Promise<void> {
  let store: string | undefined
  for (const [i, server] of servers.entries()) {
    const place = JSON.stringify({ store: store ?? fresh, place: i, servers: servers.length })
    await server.query("insert into setting values ('store', $1) on conflict do nothing", seal('store', utf8(place)))
    const [line] = await server.query("select b from setting where name = 'store'")
    const found = Buffer.from(open(server, 'store', toBytes(line!))).toString()
    const known = JSON.parse(found) as { store: string; place: number; servers: number }
    store ??= known.store
    if (known.place !== i || known.servers !== servers.length || known.store !== store)
      invalidStore(
        `${server.name} has part ${known.place + 1} of ${known.servers} of a store; give all servers in their order`,
      )
  }
}

/** How far a copy of another store is; undefined when none is under way. */
export async function readCopyMark({ head, open }: ServerGroup): Promise<Uint8Array | undefined> {
  const [line] = await head.query('select b from setting where name = $1', COPY)
  return line && open(head, COPY, toBytes(line))
}

export async function writeCopyMark({ head, seal }: ServerGroup, content: Uint8Array): Promise<void> {
  const text = 'insert into setting values ($1, $2) on conflict (name) do update set b = excluded.b'
  await head.query(text, COPY, seal(COPY, content))
}

export async function removeCopyMark({ head }: ServerGroup): Promise<void> {
  await head.query('delete from setting where name = $1', COPY)
}

export function invalidStore(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
