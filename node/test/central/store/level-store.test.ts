import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CentralStore } from '../../../src/central/store/central-store.ts'
import { levelStore } from '../../../src/central/store/level-store.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { centralStoreConformance } from './conformance.ts'
import { deposit, group, hash, id, mark, row, syncId } from './sample.ts'

const random = systemRandom
const EPOCH = 100 * EPOCHS_PER_DAY

centralStoreConformance('level', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
  return { open: () => levelStore({ dir, random }), remove: () => rm(dir, { recursive: true }) }
})

describe('the level store', () => {
  let dir: string
  let store: CentralStore
  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'geotrace-store-')), 'store')
    store = await levelStore({ dir, random })
  })
  afterEach(async () => {
    await store.close()
    await rm(join(dir, '..'), { recursive: true })
  })

  /** A user with rows on two days, then closed: the tables of the day are on disk. */
  const fill = async (): Promise<number> => {
    const user = await store.addUser(id('a'), 1)
    for (let i = 0; i < 20; i++) {
      await store.deposit(
        deposit(user, i, [group(EPOCH + i, ...Array.from({ length: 40 }, (_, n) => row(`${i}/${n}`)))]),
      )
    }
    await store.close()
    return user
  }
  const readAll = async (user: number, from = dir): Promise<void> => {
    const opened = await levelStore({ dir: from, random })
    try {
      for (const epoch of await opened.epochs()) {
        for (const { hash } of await opened.userRows(epoch, user)) expect(hash).toHaveLength(12)
      }
    } finally {
      await opened.close()
    }
  }
  /** What reading a copy of the store comes to after `damage`: opening LevelDB changes files, so each damage has its own. */
  const readDamaged = async (user: number, damage: (copy: string) => Promise<void>): Promise<unknown> => {
    const copy = join(dir, '..', 'copy')
    await cp(dir, copy, { recursive: true })
    await damage(copy)
    return await readAll(user, copy)
      .catch((error: unknown) => (error as { code?: unknown }).code)
      .finally(() => rm(copy, { recursive: true }))
  }
  const files = async (of: string, from = dir): Promise<string[]> => {
    const names = await readdir(join(from, of), { recursive: true, withFileTypes: true })
    return names.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name))
  }

  it('keeps a directory a UTC day, which retention removes', async () => {
    const user = await store.addUser(id('a'), 1)
    for (const day of [100, 101, 103])
      await store.deposit(deposit(user, day, [group(day * EPOCHS_PER_DAY + 17, row(day))]))
    const days = async () => (await readdir(dir)).filter((name) => name.startsWith('day-')).sort()
    expect(await days()).toEqual(['day-100', 'day-101', 'day-103'])
    await store.dropBefore(103)
    expect(await days()).toEqual(['day-103'])
    await expect(store.deposit(deposit(user, 9, [group(EPOCH, row(1))]))).rejects.toThrow(RangeError)
  })

  it('lets nobody else read its files', async () => {
    await fill()
    for (const path of [...(await files('.')), join(dir, 'meta'), join(dir, 'day-100'), dir]) {
      expect((await stat(path)).mode & 0o077).toBe(0)
    }
  })

  for (const [form, ending] of [
    ['log', '.log'],
    ['table', '.ldb'],
  ] as const) {
    it(`finds a flipped bit in each of a row’s bytes in a ${form} as STORAGE_CORRUPT`, async () => {
      const user = await fill()
      // Opening it once more turns the log into a table.
      if (form === 'table') await readAll(user)
      const needle = Buffer.from(hash('3/7'))
      expect(await readDamaged(user, async () => {})).toBeUndefined()
      for (let offset = 0; offset < 13; offset++) {
        const outcome = await readDamaged(user, async (copy) => {
          for (const path of (await files('day-100', copy)).filter((item) => item.endsWith(ending))) {
            const bytes = await readFile(path)
            if (!bytes.includes(needle)) continue
            bytes[bytes.indexOf(needle) + offset]! ^= 1
            await writeFile(path, bytes)
          }
        })
        expect(outcome).toBe('STORAGE_CORRUPT')
      }
    })
  }

  it('finds a lost log as STORAGE_CORRUPT, although LevelDB opens without it', async () => {
    const user = await fill()
    const outcome = await readDamaged(user, async (copy) => {
      for (const path of await files('day-100', copy)) if (path.endsWith('.log')) await writeFile(path, '')
    })
    expect(outcome).toBe('STORAGE_CORRUPT')
  })

  for (const part of ['meta', 'day-100', 'store.json', 'meta/CURRENT', 'day-100/CURRENT']) {
    it(`says STORE_MISSING instead of beginning anew without ${part}`, async () => {
      const user = await fill()
      expect(await readDamaged(user, (copy) => rm(join(copy, part), { recursive: true }))).toBe('STORE_MISSING')
    })
  }

  it('finds a cut marker file as STORAGE_CORRUPT', async () => {
    const user = await fill()
    expect(await readDamaged(user, (copy) => truncate(join(copy, 'store.json'), 20))).toBe('STORAGE_CORRUPT')
  })

  for (const part of ['meta', 'day-100']) {
    it(`takes a ${part} that LevelDB finds empty for damage`, async () => {
      const user = await fill()
      const outcome = await readDamaged(user, async (copy) => {
        await rm(join(copy, part), { recursive: true })
        const empty = new Level(join(copy, part))
        await empty.open()
        await empty.close()
      })
      expect(outcome).toBe('STORAGE_CORRUPT')
    })
  }

  it('begins a founding that was cut anew', async () => {
    await store.close()
    const marker = JSON.parse(await readFile(join(dir, 'store.json'), 'utf8'))
    await writeFile(join(dir, 'store.json'), JSON.stringify({ ...marker, state: 'founding' }))
    await rm(join(dir, 'meta', 'CURRENT'))
    store = await levelStore({ dir, random })
    expect((await store.statistics()).users).toBe(0)
  })

  it('throws away a day that was made and never used', async () => {
    await store.close()
    const stray = new Level(join(dir, 'day-7'))
    await stray.open()
    await stray.close()
    store = await levelStore({ dir, random })
    expect(await readdir(dir)).not.toContain('day-7')
  })

  it('leaves no byte of an erased user’s id, rows or syncs in its files', async () => {
    const user = await store.addUser(id('a'), 1)
    const other = await store.addUser(id('b'), 1)
    for (let i = 0; i < 30; i++) {
      for (const owner of [user, other]) {
        const items = Array.from({ length: 60 }, (_, n) => row(`${owner}/${i}/${n}`))
        await store.deposit(deposit(owner, i + 1000 * owner, [group(EPOCH + i, ...items)]))
      }
    }
    const told = mark(EPOCH, 'told')
    const list = { generation: 1, last: 1, entries: [{ ...told, sequence: 1 }] }
    await store.putMarks([{ user, changes: [{ report: 1, marks: [told] }], list }])
    const traces = [
      id('a'),
      id('a').subarray(0, 16),
      hash('told'),
      ...[0, 13, 29].flatMap((i) => [hash(`${user}/${i}/5`), syncId(i + 1000 * user)]),
    ]
    const found = async () => {
      const contents = await Promise.all((await files('.')).map((path) => readFile(path)))
      return traces.map((trace) => contents.some((bytes) => bytes.includes(Buffer.from(trace))))
    }
    // The id is nowhere even before: keys carry a keyed hash of it.
    expect((await found()).slice(0, 2)).toEqual([false, false])
    expect((await found()).slice(2)).not.toContain(false)
    await store.eraseUser(id('a'))
    const left = await found()
    expect(left.slice(0, 3)).toEqual([false, false, false])
    // Values are gone; LevelDB may keep a key at the edge of a table, which is (epoch, number, sync id).
    expect(left.filter((_, i) => i > 2 && i % 2 === 1)).toEqual([false, false, false])
    expect(await store.userRows(EPOCH + 13, other)).toHaveLength(60)
  })
})
