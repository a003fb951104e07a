/**
 * The central peer's database as the authority sees it, or a thief of the whole machine. The lab copies its directory and
 * its keys, and opens the copy with the store's own code.
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { SimulatedClock } from '@geotrace/core-wasm'
import { bytesToHex, bytesToRows } from '@geotrace/core-wasm/wire'
import type { User } from '../../src/central/store/central-store.ts'
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
export async function stealDatabase(dir: string, copy: string, clock: SimulatedClock): Promise<StoredRow[]> {
  const store = join(dir, DEMO_AUTHORITY, 'store')
  await cp(store, copy, { recursive: true })
  await cp(`${store}.keys`, `${copy}.keys`)
  const stolen = await levelStore({ dir: copy, random: systemRandom, clock })
  try {
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
  } finally {
    await stolen.close()
  }
}
