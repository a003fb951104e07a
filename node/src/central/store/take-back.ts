/**
 * Takes rows of a user back from the level store. PROTOCOL.md §7.2. The parts that hold the rows are written again without
 * them, and a part that loses its last row goes.
 */
import { prefixRange } from '../../platform/level-handle.ts'
import type { EpochHashes, User } from './central-store.ts'
import { decodeRows, encodeRows } from './codecs.ts'
import type { Database, Operation } from './database/database.ts'
import { epochToDay } from './day.ts'
import type { DayDatabases } from './day-databases.ts'
import { rowsPrefix, withMark } from './keys.ts'
import { hashToKey } from './row-set.ts'

/** Call it in the user's turn. */
export async function takeBack(days: DayDatabases, user: User, items: readonly EpochHashes[]): Promise<void> {
  for (const { epoch, hashes } of items) {
    const day = epochToDay(epoch)
    const database = days.get(day)
    if (database === undefined || !(await removeRows(database, epoch, user, new Set(hashes.map(hashToKey))))) continue
    await database.compact(prefixRange(rowsPrefix(epoch, user)))
  }
}

/** False when the user has none of these rows. */
async function removeRows(database: Database, epoch: number, user: User, gone: ReadonlySet<string>): Promise<boolean> {
  const operations: Operation[] = []
  // A hash whose lags came in two syncs stands in two parts.
  const removed = new Set<string>()
  for await (const [key, body] of database.entries(prefixRange(rowsPrefix(epoch, user)))) {
    const rows = decodeRows(body)
    const left = rows.filter(({ hash }) => !gone.has(hashToKey(hash)))
    if (left.length === rows.length) continue
    for (const { hash } of rows) if (gone.has(hashToKey(hash))) removed.add(hashToKey(hash))
    if (left.length === 0) operations.push(...withMark(key).map((item) => ({ key: item })))
    else operations.push({ key, body: encodeRows(left) })
  }
  if (operations.length > 0) await database.write(operations, [-removed.size])
  return operations.length > 0
}
