/**
 * The rows of users on their servers. PROTOCOL.md §8. A sync is one sealed blob in the table of its day (arrival.ts), with
 * the epochs of its rows as bits. Throws STORAGE_CORRUPT, BUSY.
 */
import { blobToAck, blobToRows, epochToBit } from '../arrival.ts'
import type { CentralStore, SyncRecord, User } from '../central-store.ts'
import { dayToEpochs, epochToDay } from '../day.ts'
import { mergeRows, rowsWith } from '../row-set.ts'
import { ACKNOWLEDGED, openBlob } from './blob.ts'
import { isTableGone } from './errors.ts'
import { findUsers } from './runs.ts'
import { blobTable } from './schema.ts'
import type { Server } from './server.ts'
import type { ServerGroup } from './server-group.ts'

/** Users whose blobs are read at once. */
const CHUNK = 200

type BlobMethods = 'userRows' | 'probe' | 'epochs'

export function blobs(group: ServerGroup): Pick<CentralStore, BlobMethods> {
  const { servers } = group
  return {
    async userRows(epoch, users) {
      const parts = new Map<User, Uint8Array[]>(users.map((user) => [user, []]))
      const day = epochToDay(epoch)
      await Promise.all(
        servers.map(async (server) => {
          const own = users.filter((user) => group.serverOf(user) === server)
          if (own.length === 0 || !(await group.hasDay(server, day))) return
          for await (const { user, rows } of readRows(group, server, epoch, own)) parts.get(user)!.push(rows)
        }),
      )
      return users.map((user) => mergeRows(...parts.get(user)!))
    },
    async *probe(epoch, hashes) {
      const found = new Map<User, Uint8Array[]>()
      await Promise.all(servers.map((server) => probeServer(group, server, epoch, hashes, found)))
      for (const user of [...found.keys()].sort((a, b) => a - b)) yield { user, rows: mergeRows(...found.get(user)!) }
    },
    async epochs() {
      const days = await Promise.all(servers.map((server) => group.days(server)))
      return [...new Set(days.flat())].sort((a, b) => a - b).flatMap(dayToEpochs)
    },
  }
}

async function* readRows(
  group: ServerGroup,
  server: Server,
  epoch: number,
  users: readonly User[],
): AsyncGenerator<{ user: User; rows: Uint8Array }> {
  const day = epochToDay(epoch)
  const text = `select usr, sync, b from ${blobTable(day)} where usr = any($1) and bits & $2 <> 0`
  for (let i = 0; i < users.length; i += CHUNK) {
    const lines = await orNone(server.query(text, users.slice(i, i + CHUNK), epochToBit(epoch)))
    for (const line of lines)
      yield { user: line.usr as User, rows: blobToRows(openBlob(group, server, day, line), epoch) }
  }
}

/** Adds the rows of these hashes by user. */
async function probeServer(
  group: ServerGroup,
  server: Server,
  epoch: number,
  hashes: Uint8Array,
  found: Map<User, Uint8Array[]>,
): Promise<void> {
  const day = epochToDay(epoch)
  if (!(await group.hasDay(server, day))) return
  const add = (user: User, all: Uint8Array): void => {
    // A copy, because the rows may be a view of the whole blob.
    const rows = rowsWith(all, hashes).slice()
    if (rows.length === 0) return
    const known = found.get(user)
    if (known === undefined) found.set(user, [rows])
    else known.push(rows)
  }
  // The open blobs before the runs: an epoch that is closed in between then shows its rows in one of the two.
  const [line] = await server.query<{ closed: number }>('select closed from epoch where epoch = $1', epoch)
  const text = `select usr, sync, b from ${blobTable(day)} where gen > $1 and bits & $2 <> 0`
  try {
    for await (const open of server.lines(text, line?.closed ?? 0, epochToBit(epoch)))
      add(open.usr as User, blobToRows(openBlob(group, server, day, open), epoch))
    if (line === undefined) return
    const users = await findUsers(group, server, epoch, hashes)
    for await (const { user, rows } of readRows(group, server, epoch, [...users])) add(user, rows)
  } catch (error) {
    if (!isTableGone(error)) throw error
  }
}

/** No lines when the table of the day is gone. */
async function orNone<T>(lines: Promise<T[]>): Promise<T[]> {
  try {
    return await lines
  } catch (error) {
    if (isTableGone(error)) return []
    throw error
  }
}

/** The acknowledgement of a sync that arrived on a day from `since` on. */
export async function findAck(
  group: ServerGroup,
  server: Server,
  user: User,
  syncId: Uint8Array,
  since: number,
): Promise<SyncRecord | undefined> {
  for (const day of await group.days(server)) {
    if (day < since) continue
    const text = `select usr, sync, b from ${blobTable(day)} where usr = $1 and sync = $2 and bits & ${ACKNOWLEDGED} <> 0`
    const [line] = await orNone(server.query(text, user, syncId))
    if (line !== undefined) return blobToAck(openBlob(group, server, day, line))
  }
  return undefined
}
