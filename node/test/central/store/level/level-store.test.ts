import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { blobKey } from '../../../../src/central/store/level/keys.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { SECRETS } from '../../../../src/central/store/level/user-secrets.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { centralStoreConformance } from '../conformance.ts'
import { deposit, group, hash, id, mark, row, rowsOf } from '../sample.ts'
import { EPOCH, ROWS_FILLED, storeOnDisk } from './store-on-disk.ts'

centralStoreConformance('level', async () => {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
  const dir = join(root, 'store')
  return {
    open: () => levelStore({ dir, random: systemRandom, clock: systemClock() }),
    remove: () => rm(root, { recursive: true }),
  }
})

describe('the files of a level store', () => {
  const disk = storeOnDisk()

  it('no file of the store has a user’s id, a hash or a code, and an erasure destroys the secret that opens the user’s rows', async () => {
    const { store } = disk
    const user = await store.addUser(id('a'), 1, 100)
    const other = await store.addUser(id('b'), 1, 100)
    for (let i = 0; i < 30; i++) {
      for (const owner of [user, other]) {
        const items = Array.from({ length: 60 }, (_, n) => row(`${owner}/${i}/${n}`))
        await store.deposit(deposit(owner, i + 1000 * owner, [group(EPOCH + i, ...items)]))
      }
    }
    await store.closeEpoch(EPOCH + 3)
    const known = mark(EPOCH, 'marked')
    const list = { generation: 1, last: 1, entries: [{ ...known, sequence: 1 }] }
    await store.putMarks([{ user, changes: [{ report: 1, marks: [known] }], list }])
    const isFound = async (traces: readonly Uint8Array[]) => {
      const contents = await Promise.all((await disk.files('.')).map((path) => readFile(path)))
      return traces.map((trace) => contents.some((bytes) => bytes.includes(Buffer.from(trace))))
    }
    const rows = [0, 3, 13, 17].map((i) => hash(`${user}/${i}/5`))
    const secrets = [id('a'), id('a').subarray(0, 16), hash('marked'), ...rows]
    expect(await isFound(secrets)).toEqual(secrets.map(() => false))
    // The number of a blob stands in a key, which shows that the search finds what is there.
    expect(await isFound([blobKey(13)])).toEqual([true])
    await store.close()
    const all = await readFile(join(disk.dir, SECRETS))
    const own = [user, other].map((owner) => all.subarray(16 * owner, 16 * owner + 16))
    expect(await isFound(own)).toEqual([true, true])
    await disk.open()
    await disk.store.eraseUser(id('a'), 100)
    expect(await isFound(own)).toEqual([false, true])
    expect(await rowsOf(disk.store, EPOCH + 13, other)).toHaveLength(60)
  })

  it('retention destroys the key of a day, so that a copy of the day is not readable any more', async () => {
    const user = await disk.fillAndClose()
    const copied = await disk.readDamaged(user, async () => {})
    expect(copied).toBe(ROWS_FILLED)
    await cp(disk.dir, join(disk.dir, '..', 'old'), { recursive: true })
    const keys = () => readFile(`${disk.dir}.keys`, 'utf8')
    const before = await keys()
    await disk.open()
    await disk.store.dropBefore(101)
    await disk.store.close()
    const after = await keys()
    expect([before.includes('"100":'), after.includes('"100":'), after.includes('"101":')]).toEqual([true, false, true])
    // The rest of the old copy answers under today's keys, without the day.
    await cp(`${disk.dir}.keys`, join(disk.dir, '..', 'old.keys'))
    const left = await disk.countRows(user, join(disk.dir, '..', 'old'))
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(ROWS_FILLED)
    await disk.open()
  })

  it('a store with other keys is STORAGE_CORRUPT, and one without its keys is STORE_MISSING', async () => {
    const user = await disk.fillAndClose()
    const copy = join(disk.dir, '..', 'copy')
    expect(await disk.readDamaged(user, () => rm(`${copy}.keys`))).toBe('STORE_MISSING')
    const other = await levelStore({ dir: join(disk.dir, '..', 'other'), random: systemRandom, clock: systemClock() })
    await other.close()
    const exchange = () => cp(join(disk.dir, '..', 'other.keys'), `${copy}.keys`)
    expect(await disk.readDamaged(user, exchange)).toBe('STORAGE_CORRUPT')
    const damage = async () =>
      writeFile(`${copy}.keys`, (await readFile(`${copy}.keys`, 'utf8')).replace(/[0-9a-f]{4}/, 'beef'))
    expect(await disk.readDamaged(user, damage)).toBe('STORAGE_CORRUPT')
  })
})
