/**
 * The central store on one or several PostgreSQL servers, for any number of processes. PROTOCOL.md §8; node/CENTRAL.md
 * "PostgreSQL". The same sealed bytes as on level: a blob for each sync, runs of closed epochs, tables of each UTC day.
 * Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, COMMAND_INVALID, SYNC_CONFLICT, LEASE_LOST, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import type { CentralStore, Condition, Lease, LeasedWrites, StoreCondition, User } from '../central-store.ts'
import { type ErasedUsers, erasedUsers } from '../erased-users.ts'
import { openBlob } from './blob.ts'
import { blobs } from './blobs.ts'
import { learnFloor, serverDeposits } from './deposits.ts'
import { leases } from './leases.ts'
import { assertServers, closeServers, openKeys, openServers, type PostgresFounding, readCopyMark } from './opening.ts'
import { codeName, records, recordWrites, reportCodes, slips } from './records.ts'
import { finishRetention, retentionWrites } from './retention.ts'
import { bucketName, runWrites } from './runs.ts'
import { blobTable, runTable } from './schema.ts'
import type { Line, Server } from './server.ts'
import { type ServerGroup, serverGroup, toBytes } from './server-group.ts'
import { eraseAgain, markWrites, users } from './users.ts'

/** The worst first. */
const CONDITIONS: readonly Condition[] = ['damaged', 'failed', 'full']

interface PostgresStoreInit {
  /** The addresses of the servers. Their order is part of the store. */
  urls: readonly string[]
  /** The file of the store's keys, which all processes have. */
  keyPath: string
  random: Random
  clock: Clock
  /** `never`: a missing store is STORE_MISSING. `anew`: an existing store is COMMAND_INVALID. Default: `if-missing`. */
  founding?: PostgresFounding
  /** The file that lists erased users; undefined: none is kept. */
  erasedPath?: string
}

export async function postgresStore(init: PostgresStoreInit): Promise<CentralStore> {
  const { urls, keyPath, random, clock, founding = 'if-missing', erasedPath } = init
  const servers = await openServers(urls, clock)
  const close = (): Promise<void> => closeServers(servers)
  try {
    const keys = await openKeys(servers, keyPath, random, founding)
    const parts = serverGroup(servers, keys, random)
    if ((await readCopyMark(parts)) !== undefined) {
      const text = 'the database has an unfinished copy of a store; run geotrace central migrate again'
      throw new FederationError('STORE_MISSING', text, { dir: 'database' })
    }
    await assertServers(parts, bytesToHex(random(16)))
    await learnFloor(parts)
    await finishRetention(parts)
    const kept = serverDeposits(parts)
    await kept.finish()
    const erased = erasedPath === undefined ? undefined : erasedUsers(erasedPath)
    if (erased !== undefined) await eraseAgain(parts, erased)
    const { findSync, deposit, attempts } = kept
    return {
      capabilities: { writers: 'many', hasBackup: false },
      ...{ findSync, deposit, attempts },
      ...users(parts, erased),
      ...blobs(parts),
      ...records(parts),
      ...reportCodes(parts),
      ...slips(parts),
      ...leases(parts),
      ...writes(parts, erased),
      under: (lease) => writes(parts, erased, lease),
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

function writes(parts: ServerGroup, erased: ErasedUsers | undefined, lease?: Lease): LeasedWrites {
  return {
    ...markWrites(parts, lease),
    ...recordWrites(parts, lease),
    ...runWrites(parts, lease),
    ...retentionWrites(parts, lease, erased),
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
