/**
 * The central store on one or several PostgreSQL servers, for any number of processes. PROTOCOL.md §8; node/CENTRAL.md
 * "PostgreSQL". The same sealed bytes as on level: a blob for each sync, runs of closed epochs, tables of each UTC day.
 * Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, COMMAND_INVALID, SYNC_CONFLICT, LEASE_LOST, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, isFederationError, utf8 } from '@geotrace/core-wasm/wire'
import type { CentralStore, Condition, Lease, LeasedWrites, StoreCondition, User } from '../central-store.ts'
import { openBlob } from './blob.ts'
import { blobs } from './blobs.ts'
import { learnFloor, serverDeposits } from './deposits.ts'
import { leases } from './leases.ts'
import { openRatchetKeys, type RatchetKeys } from './ratchet-keys.ts'
import { codeName, records, recordWrites, reportCodes, slips } from './records.ts'
import { finishRetention, retentionWrites } from './retention.ts'
import { bucketName, runWrites } from './runs.ts'
import { blobTable, migrate, readVersion, runTable } from './schema.ts'
import { type Line, openServer, type Server } from './server.ts'
import { type ServerGroup, serverGroup, toBytes } from './server-group.ts'
import { markWrites, users } from './users.ts'

/** The worst first. */
const CONDITIONS: readonly Condition[] = ['damaged', 'failed', 'full']
const SERVERS_MAX = 64

interface PostgresStoreInit {
  /** The addresses of the servers. Their order is part of the store. */
  urls: readonly string[]
  /** The file of the store's keys, which all processes have. */
  keyPath: string
  random: Random
  clock: Clock
  /** `never`: a missing store is STORE_MISSING. `anew`: an existing store is COMMAND_INVALID. Default: `if-missing`. */
  founding?: 'if-missing' | 'never' | 'anew'
}

export async function postgresStore(init: PostgresStoreInit): Promise<CentralStore> {
  const { urls, keyPath, random, clock, founding = 'if-missing' } = init
  if (urls.length === 0 || urls.length > SERVERS_MAX) invalid(`a store expected 1..${SERVERS_MAX} database servers`)
  const servers: Server[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  try {
    for (const [i, url] of urls.entries()) {
      const name = urls.length === 1 ? 'the database server' : `database server ${i + 1} of ${urls.length}`
      servers.push(await openServer({ url, name, clock }))
    }
    const keys = await openKeys(servers, keyPath, random, founding)
    const parts = serverGroup(servers, keys, random)
    await assertServers(parts, bytesToHex(random(16)))
    await learnFloor(parts)
    await finishRetention(parts)
    const kept = serverDeposits(parts)
    await kept.finish()
    const { findSync, deposit, attempts } = kept
    return {
      capabilities: { writers: 'many', hasBackup: false },
      ...{ findSync, deposit, attempts },
      ...users(parts),
      ...blobs(parts),
      ...records(parts),
      ...reportCodes(parts),
      ...slips(parts),
      ...leases(parts),
      ...writes(parts),
      under: (lease) => writes(parts, lease),
      floor: () => parts.floor,
      statistics: () => statistics(parts),
      verify: () => verify(parts),
      backUp: async () => {
        const reason = 'a store on database servers has no backup of its own; use pg_dump (CENTRAL.md, "PostgreSQL")'
        throw new FederationError('COMMAND_INVALID', reason, { reason })
      },
      condition: () => toCondition(servers),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function writes(parts: ServerGroup, lease?: Lease): LeasedWrites {
  return {
    ...markWrites(parts, lease),
    ...recordWrites(parts, lease),
    ...runWrites(parts, lease),
    ...retentionWrites(parts, lease),
  }
}

/** Founds the store or brings its tables to this version, and reads its keys. */
async function openKeys(
  servers: readonly Server[],
  keyPath: string,
  random: Random,
  founding: PostgresStoreInit['founding'],
): Promise<RatchetKeys> {
  const versions = await Promise.all(servers.map(readVersion))
  const isThere = versions.every((version) => version > 0)
  if (!isThere && founding === 'never') {
    const text = 'the database has no store; give the right address, or restore the last backup'
    throw new FederationError('STORE_MISSING', text, { dir: 'database' })
  }
  if (isThere && founding === 'anew') invalid('the database has a store; give an empty database')
  for (const server of servers) await migrate(server)
  const [mark] = await servers[0]!.query("select b from setting where name = 'store'")
  return await openRatchetKeys(keyPath, random, mark === undefined)
}

/** Each server knows its place, sealed with the keys of the store. Throws STORAGE_CORRUPT for other keys. */
async function assertServers({ servers, seal, open }: ServerGroup, fresh: string): Promise<void> {
  let store: string | undefined
  for (const [i, server] of servers.entries()) {
    const place = JSON.stringify({ store: store ?? fresh, place: i, servers: servers.length })
    await server.query("insert into setting values ('store', $1) on conflict do nothing", seal('store', utf8(place)))
    const [line] = await server.query("select b from setting where name = 'store'")
    const found = Buffer.from(open(server, 'store', toBytes(line!))).toString()
    const known = JSON.parse(found) as { store: string; place: number; servers: number }
    store ??= known.store
    if (known.place !== i || known.servers !== servers.length || known.store !== store)
      invalid(
        `${server.name} has part ${known.place + 1} of ${known.servers} of a store; give all servers in their order`,
      )
  }
}

async function statistics({ servers }: ServerGroup) {
  const days = new Map<number, number>()
  let [users, bytes] = [0, 0]
  for (const server of servers) {
    const [total] = await server.query<{ n: number }>("select n from total where name = 'users'")
    users += total!.n
    for (const line of await server.query<{ day: number; lines: number; bytes: number }>(
      'select day, lines, bytes from day',
    )) {
      bytes += line.bytes
      if (line.lines > 0) days.set(line.day, (days.get(line.day) ?? 0) + line.lines)
    }
  }
  return { users, bytes, days: [...days].map(([day, rows]) => ({ day, rows })).sort((a, b) => a.day - b.day) }
}

/** Opens every sealed value. A damaged one marks its server. */
async function verify(parts: ServerGroup): Promise<void> {
  const tables: [text: string, toName: (line: Line) => string][] = [
    ['select usr, b from list', ({ usr }) => `list/${usr}`],
    ['select usr, report, b from mark', ({ usr, report }) => `mark/${usr}/${report}`],
    ['select id, b from report', ({ id }) => `report/${id}`],
    ['select report, b from progress', ({ report }) => `progress/${report}`],
    ['select hash, b from code', (line) => codeName(toBytes(line, 'hash'))],
    ['select epoch, b from pin', ({ epoch }) => `pin/${epoch}`],
    ['select period, report, b from slip', ({ period, report }) => `slip/${period}/${report}`],
    ['select period, b from batch', ({ period }) => `batch/${period}`],
  ]
  for (const server of parts.servers) {
    for (const [text, toName] of tables)
      await readAll(server, text, (line) => parts.open(server, toName(line), toBytes(line)))
    for (const day of await parts.days(server)) await verifyDay(parts, server, day)
  }
}

async function verifyDay(parts: ServerGroup, server: Server, day: number): Promise<void> {
  await readAll(server, `select usr, sync, b from ${blobTable(day)}`, (line) => openBlob(parts, server, day, line))
  await readAll(server, `select epoch, run, bucket, b from ${runTable(day)}`, (line) => {
    const { epoch, run, bucket } = line as Record<string, User>
    parts.openDay(server, day, bucketName(epoch!, run!, bucket!), toBytes(line))
  })
}

async function readAll(server: Server, text: string, open: (line: Line) => unknown): Promise<void> {
  for await (const line of server.lines(text)) {
    try {
      open(line)
    } catch (error) {
      if (!isFederationError(error, 'STORAGE_CORRUPT')) throw error
    }
  }
}

/** The worst condition of the servers, with the names of those that have one. */
function toCondition(servers: readonly Server[]): StoreCondition {
  const worst = CONDITIONS.find((condition) => servers.some((item) => item.condition === condition)) ?? 'sound'
  return { condition: worst, parts: servers.filter((item) => item.condition !== 'sound').map(({ name }) => name) }
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
