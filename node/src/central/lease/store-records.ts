/**
 * The records of the membership in the store, so that all processes of the central peer share rosters, votes and proposals.
 * Only the holder of the lease writes, and each write carries the fence: a vote that another process may have overtaken is
 * never given. Throws LEASE_LOST.
 */
import { turns } from '@geotrace/core-wasm'
import { byteReader, concatBytes } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'
import type { CentralStore, Lease } from '../store/central-store.ts'

/** The first byte of a value; a removed one is empty. */
const THERE = new Uint8Array([1])

/** Without a lease nothing is written, because the holder has written the same. */
export function storeRecords(store: Pick<CentralStore, 'record' | 'under'>, lease: Lease | undefined): Records {
  const writers = turns<string>(1)
  const writes = lease && store.under(lease)
  const toName = (name: string): string => `records/${name}`
  const get: Records['get'] = async (name) => {
    const kept = await store.record(toName(name))
    return kept === undefined || kept.length === 0 ? undefined : kept.slice(1)
  }
  const put = async (name: string, value: Uint8Array): Promise<void> =>
    await writes?.putRecord(toName(name), concatBytes(THERE, value))
  return {
    get,
    put: (name, value) => writers.run(name, () => put(name, value)),
    update: (name, change) => writers.run(name, async () => put(name, change(await get(name)))),
    remove: (name) => writers.run(name, async () => await writes?.putRecord(toName(name), new Uint8Array())),
  }
}

/** Copies the records of a peer that ran alone, so that its votes stay given. Changes nothing when the store has records. */
export async function adoptRecords(own: Records, shared: Records): Promise<void> {
  if ((await shared.get('federation')) !== undefined || (await own.get('federation')) === undefined) return
  const newest = await own.get('roster-newest')
  const heights = newest === undefined ? 0 : byteReader(newest).u32() + 1
  const rosters = Array.from({ length: heights }, (_, height) => `roster-${height}`)
  // The name of the federation last, because it says that all others are there.
  for (const name of ['votes', 'proposals', 'roster-fork', ...rosters, 'roster-newest', 'federation']) {
    const value = await own.get(name)
    if (value !== undefined) await shared.put(name, value)
  }
}
