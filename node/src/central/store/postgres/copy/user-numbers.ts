/**
 * The numbers of users in a copied store. A number is that of the source times the number of servers, plus the place of the
 * user's server. So the same user gets the same number in each try, and the order of users stays. Throws COMMAND_INVALID.
 */
import { blobWithUser } from '../../arrival.ts'
import type { User } from '../../central-store.ts'
import type { SourceRecord, StoreSource } from '../../store-source.ts'
import { invalidStore } from '../opening.ts'
import { keyToPlace } from '../server-group.ts'

/** Blobs and runs have four bytes for a user. */
const USERS_MAX = 2 ** 32

/** The source with the numbers of the copy. */
export type NumberedSource = Omit<StoreSource, 'userSecret' | 'state'>

export async function numberedSource(source: StoreSource, servers: number): Promise<NumberedSource> {
  const { user: next } = await source.next()
  if (next * servers >= USERS_MAX) invalidStore(`${next} users are too many for ${servers} servers; give fewer servers`)
  const places = new Map<User, number>()
  if (servers > 1) for await (const { user, key } of source.users()) places.set(user, keyToPlace(key, servers))
  // The number of an erased user leads nowhere, before and after.
  const toUser = (user: User): User => user * servers + (places.get(user) ?? 0)
  async function* renumbered<T extends { user: User }>(items: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of items) yield { ...item, user: toUser(item.user) }
  }
  return {
    floor: source.floor,
    erased: () => source.erased(),
    next: () => source.next(),
    days: () => source.days(),
    closed: (day) => source.closed(day),
    users: () => renumbered(source.users()),
    marks: () => renumbered(source.marks()),
    async *records() {
      for await (const record of source.records()) yield toRecord(record, toUser, servers)
    },
    async *blobs(day) {
      for await (const item of renumbered(source.blobs(day)))
        yield { ...item, blob: blobWithUser(item.blob, item.user) }
    },
  }
}

function toRecord(record: SourceRecord, toUser: (user: User) => User, servers: number): SourceRecord {
  switch (record.kind) {
    case 'report':
      return { ...record, value: { ...record.value, user: toUser(record.value.user) } }
    case 'progress': {
      const { partial } = record.value
      if (partial === undefined) return record
      // All users up to this one, on whatever server.
      const after = partial.after * servers + servers - 1
      return { ...record, value: { ...record.value, partial: { ...partial, after } } }
    }
    case 'code': {
      const { spent } = record.value
      if (spent === undefined) return record
      return { ...record, value: { ...record.value, spent: { ...spent, user: toUser(spent.user) } } }
    }
    case 'slip':
      return { ...record, user: toUser(record.user) }
    default:
      return record
  }
}
