/**
 * Leases, shared counters and small records in the level store. PROTOCOL.md §8. One process has the store, so a lease is
 * for the parts of this process, and its fence outlives them. Throws LEASE_LOST, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { turns } from '@geotrace/core-wasm'
import { equalBytes, utf8 } from '@geotrace/core-wasm/wire'
import type { CentralStore, Lease, LeasedWrites } from '../central-store.ts'
import { decodeJson, decodePair, encodeJson, encodePair } from '../codecs.ts'
import { afterStep, assertLast, leasedWrites, nextLease } from '../leases.ts'
import type { Database } from './database.ts'
import { metaKey } from './keys.ts'

type LeaseMethods = 'acquireLease' | 'renewLease' | 'releaseLease' | 'under' | 'count' | 'record' | 'changeRecord'

export function levelLeases(meta: Database, writes: LeasedWrites): Pick<CentralStore, LeaseMethods> {
  const perName = turns<string>(1)
  const read = async (name: string): Promise<Lease | undefined> => {
    const body = await meta.get(metaKey('lease', utf8(name)))
    return body === undefined ? undefined : decodeJson<Lease>(body)
  }
  /** Writes what `change` makes of the last lease. */
  const update = (name: string, change: (known: Lease | undefined) => Lease | undefined): Promise<Lease | undefined> =>
    perName.run(name, async () => {
      const lease = change(await read(name))
      if (lease !== undefined) await meta.write([{ key: metaKey('lease', utf8(name)), body: encodeJson(lease) }])
      return lease
    })
  const extend = (lease: Lease, until: number): Promise<Lease | undefined> =>
    update(lease.name, (known) => (known?.fence === lease.fence ? { ...lease, until } : undefined))
  return {
    acquireLease: (name, holder, nowMs, ttlMs) => update(name, (known) => nextLease(known, name, holder, nowMs, ttlMs)),
    renewLease: (lease, nowMs, ttlMs) => extend(lease, nowMs + ttlMs),
    releaseLease: async (lease) => void (await extend(lease, 0)),
    under: (lease) =>
      leasedWrites(writes, async (write) => {
        assertLast(await read(lease.name), lease)
        return await write()
      }),
    count: (step) =>
      perName.run(step.name, async () => {
        const key = metaKey('step', utf8(step.name))
        const body = await meta.get(key)
        const count = afterStep(body === undefined ? 0 : decodePair(body)[1], step)
        if (count !== undefined && step.add !== 0) await meta.write([{ key, body: encodePair(step.until, count) }])
        return count
      }),
    record: async (name) => (await meta.get(metaKey('record', utf8(name))))?.slice(),
    changeRecord: (name, value, before) =>
      perName.run(name, async () => {
        const key = metaKey('record', utf8(name))
        const known = await meta.get(key)
        if ((known === undefined) !== (before === undefined) || !equalBytes(known ?? value, before ?? value))
          return false
        await meta.write([{ key, body: value }])
        return true
      }),
  }
}
