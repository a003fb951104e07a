/**
 * Leases on database servers, PROTOCOL.md §8. The first server has the lease. Each server has the fence, which a lease
 * raises before it counts as given. So a write under an earlier fence is refused on every server. Throws LEASE_LOST, BUSY.
 */
import type { CentralStore, Lease } from '../central-store.ts'
import { assertLast, nextLease } from '../leases.ts'
import type { Server, Transaction } from './server.ts'
import type { ServerGroup } from './server-group.ts'

/** Runs a write in a transaction; with a lease only while it is the last one, which stays so until the write is durable. */
export function writeUnder<T>(
  { toKey }: ServerGroup,
  server: Server,
  lease: Lease | undefined,
  task: (session: Transaction) => Promise<T>,
): Promise<T> {
  return server.transaction(async (session) => {
    if (lease !== undefined) {
      const name = toKey('lease', lease.name)
      const [line] = await session.query<{ fence: number }>('select fence from fence where name = $1 for share', name)
      assertLast(line && { ...lease, fence: line.fence }, lease)
    }
    return await task(session)
  })
}

type LeaseMethods = 'acquireLease' | 'renewLease' | 'releaseLease'

export function leases({ servers, head, toKey }: ServerGroup): Pick<CentralStore, LeaseMethods> {
  const extend = async (lease: Lease, until: number): Promise<Lease | undefined> => {
    const text = 'update lease set until = $3 where name = $1 and fence = $2 returning fence'
    const found = await head.query(text, toKey('lease', lease.name), lease.fence, until)
    return found.length === 0 ? undefined : { ...lease, until }
  }
  const take = (name: string, holder: string, nowMs: number, ttlMs: number): Promise<Lease | undefined> =>
    head.transaction(async (session) => {
      const key = toKey('lease', name)
      await session.query("insert into lease values ($1, '', 0, 0) on conflict do nothing", key)
      const [line] = await session.query<Omit<Lease, 'name'>>(
        'select holder, fence, until from lease where name = $1 for update',
        key,
      )
      const lease = nextLease(line && { ...line, name }, name, holder, nowMs, ttlMs)
      if (lease !== undefined)
        await session.query(
          'update lease set holder = $2, fence = $3, until = $4 where name = $1',
          key,
          lease.holder,
          lease.fence,
          lease.until,
        )
      return lease
    })
  return {
    async acquireLease(name, holder, nowMs, ttlMs) {
      const lease = await take(name, holder, nowMs, ttlMs)
      if (lease === undefined) return undefined
      // Waits for writes under the earlier fence that have begun.
      for (const server of servers)
        await server.query(
          `insert into fence values ($1, $2)
            on conflict (name) do update set fence = excluded.fence where fence.fence < excluded.fence`,
          toKey('lease', name),
          lease.fence,
        )
      return lease
    },
    renewLease: (lease, nowMs, ttlMs) => extend(lease, nowMs + ttlMs),
    releaseLease: async (lease) => void (await extend(lease, 0)),
  }
}
