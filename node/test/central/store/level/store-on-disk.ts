/** A level store in a temporary directory for each test, with damaged copies of it. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach } from 'vitest'
import type { CentralStore, User } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { openLevel, prefixRange } from '../../../../src/platform/level-handle.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { deposit, group, id, row, rowsOf } from '../sample.ts'

/** The first epoch of day 100. */
export const EPOCH = 100 * EPOCHS_PER_DAY
const SYNCS = 20
const ROWS_PER_SYNC = 40
/** The rows that `fillAndClose` deposits, on the days 100 and 101. */
export const ROWS_FILLED = SYNCS * ROWS_PER_SYNC

export class StoreOnDisk {
  dir = ''
  store!: CentralStore

  async open(): Promise<void> {
    this.store = await levelStore({ dir: this.dir, random: systemRandom, clock: systemClock() })
  }

  /** Deposits ROWS_FILLED rows of one user and closes the store, so that all of them are in the files. */
  async fillAndClose(): Promise<User> {
    const user = await this.store.addUser(id('a'), 1, 100)
    for (let sync = 0; sync < SYNCS; sync++) {
      const rows = Array.from({ length: ROWS_PER_SYNC }, (_, n) => row(`${sync}/${n}`))
      await this.store.deposit(deposit(user, sync, [group(EPOCH + sync, ...rows)]))
    }
    await this.store.close()
    return user
  }

  /** Opens the store in `dir` and returns how many rows of the user it can read. */
  async countRows(user: User, dir = this.dir): Promise<number> {
    const store = await levelStore({ dir, random: systemRandom, clock: systemClock() })
    try {
      let count = 0
      for (const epoch of await store.epochs()) count += (await rowsOf(store, epoch, user)).length
      return count
    } finally {
      await store.close()
    }
  }

  /**
   * Damages a copy of the closed store and reads it: the number of rows, or the code of the error. Every damage has a
   * copy of its own, because opening a LevelDB changes its files.
   */
  async readDamaged(user: User, damage: (copy: string) => Promise<void>): Promise<unknown> {
    const copy = join(this.dir, '..', 'copy')
    await cp(this.dir, copy, { recursive: true })
    await cp(`${this.dir}.keys`, `${copy}.keys`)
    await damage(copy)
    return await this.countRows(user, copy)
      .catch((error: unknown) => (error as { code?: unknown }).code)
      .finally(() => rm(copy, { recursive: true }))
  }

  /** The bytes of the first value under each prefix in a copy of the day 100, as they are in the files. */
  async storedValues(prefixes: readonly Uint8Array[]): Promise<Buffer[]> {
    const copy = join(this.dir, '..', 'raw')
    await cp(join(this.dir, 'day-100'), copy, { recursive: true })
    const level = await openLevel(copy)
    try {
      const values: Buffer[] = []
      for (const prefix of prefixes) {
        for await (const [entry] of level.entries(prefixRange(prefix))) {
          values.push(Buffer.from(entry![1]))
          break
        }
      }
      return values
    } finally {
      await level.close()
      await rm(copy, { recursive: true })
    }
  }

  /** The paths of all files below a part of the store. */
  async files(part: string, dir = this.dir): Promise<string[]> {
    const items = await readdir(join(dir, part), { recursive: true, withFileTypes: true })
    return items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name))
  }
}

/** A fresh open store before each test of the calling `describe`; closed and removed after it. */
export function storeOnDisk(): StoreOnDisk {
  const disk = new StoreOnDisk()
  beforeEach(async () => {
    disk.dir = join(await mkdtemp(join(tmpdir(), 'geotrace-store-')), 'store')
    await disk.open()
  })
  afterEach(async () => {
    await disk.store.close()
    await rm(join(disk.dir, '..'), { recursive: true })
  })
  return disk
}
