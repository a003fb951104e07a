/**
 * The central peer's database as the authority sees it, or a thief of the whole machine. The lab copies its directory and
 * its keys, and opens the copy with the store's own code.
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { SimulatedClock } from '@geotrace/core-wasm'
import { bytesToHex, bytesToRows } from '@geotrace/core-wasm/wire'
import type { CentralStore, User } from '../../src/central/store/central-store.ts'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { DEMO_AUTHORITY } from '../../src/local/local-federation.ts'
import { systemRandom } from '../../src/platform/random.ts'

export interface StoredRow {
  readonly user: User
  readonly epoch: number
  /** Hex. */
  readonly hash: string
  /** Minutes. */
  readonly size: number
  readonly lags: number
}

/** Copies the database of the federation in `dir` and reads every row of every user. */
export function stealDatabase(dir: string, copy: string, clock: SimulatedClock): Promise<StoredRow[]> {
  return inStolen(dir, copy, clock, async (stolen) => {
    const { users } = await stolen.statistics()
    const rows: StoredRow[] = []
    for (const epoch of await stolen.epochs()) {
      for (let user = 1; user <= users; user++) {
        for (const { hash, size, lags } of bytesToRows((await stolen.userRows(epoch, [user]))[0]!)) {
          rows.push({ user, epoch, hash: bytesToHex(hash), size, lags })
        }
      }
    }
    return rows
  })
}

/** Copies the database of the federation in `dir` and reads the marks of every user, in the order in which users get them. */
export function stealMarks(dir: string, copy: string, clock: SimulatedClock): Promise<string[][]> {
  return inStolen(dir, copy, clock, async (stolen) => {
    const { users } = await stolen.statistics()
    const lists = Array.from({ length: users }, (_, i) => stolen.marks(i + 1))
    // The number that orders the marks of a user rises with every change, and the device needs it only for its place.
    return (await Promise.all(lists)).map((list) =>
      (list?.entries ?? []).map(({ sequence: _place, ...mark }) =>
        JSON.stringify({ ...mark, hash: bytesToHex(mark.hash) }),
      ),
    )
  })
}

/** The directory of the store that the authority of the federation in `dir` runs; its keys lie in `STORE.keys`. */
export function storeOf(dir: string): string {
  return join(dir, DEMO_AUTHORITY, 'store')
}

async function inStolen<T>(
  dir: string,
  copy: string,
  clock: SimulatedClock,
  read: (store: CentralStore) => Promise<T>,
): Promise<T> {
  await cp(storeOf(dir), copy, { recursive: true })
  await cp(`${storeOf(dir)}.keys`, `${copy}.keys`)
  const stolen = await levelStore({ dir: copy, random: systemRandom, clock })
  try {
    return await read(stolen)
  } finally {
    await stolen.close()
  }
}
