import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CentralStore } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { restoreStore } from '../../../../src/central/store/level/store-backup.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { deposit, group, id, row, rowsOf, syncId } from '../sample.ts'
import { EPOCH } from './store-on-disk.ts'

describe('a backup of a level store', () => {
  let root: string
  let store: CentralStore
  const at = (name: string) => join(root, name)
  const open = (name: string, erasedPath?: string) =>
    levelStore({
      dir: at(name),
      keyPath: at('store.keys'),
      random: systemRandom,
      clock: systemClock(),
      founding: name === 'store' ? 'if-missing' : 'never',
      ...(erasedPath !== undefined && { erasedPath }),
    })
  const add = async (name: string, sync: number, epochs = [EPOCH, EPOCH + 18]) => {
    const user = await store.addUser(id(name), 1, 100)
    const groups = epochs.map((epoch) => group(epoch, row(`${name}/${epoch}`), row('shared')))
    await store.deposit(deposit(user, sync, groups))
    return user
  }
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'geotrace-backup-'))
    store = await open('store', at('erased'))
  })
  afterEach(async () => {
    await store.close()
    await rm(root, { recursive: true })
  })

  it('a backup under way has all that was acknowledged before, and no rows of users who came later', async () => {
    for (let n = 0; n < 10; n++) await add(`before ${n}`, n)
    let isCopying = true
    const later = async () => {
      let made = 0
      for (; isCopying; made++) await add(`later ${made}`, 100 + made, [EPOCH, EPOCH + 18, EPOCH + 36])
      return made
    }
    const during = later()
    await store.backUp(at('copy'))
    isCopying = false
    expect(await during).toBeGreaterThan(1)

    const copy = await open('copy')
    await copy.verify()
    expect(copy.condition().condition).toBe('sound')
    const { users, days } = await copy.statistics()
    let rows = 0
    for (let user = 1; user <= users; user++) {
      for (const epoch of await copy.epochs()) rows += (await rowsOf(copy, epoch, user)).length
    }
    expect(days.reduce((sum, day) => sum + day.rows, 0)).toBe(rows)
    for (let n = 0; n < 10; n++) {
      const user = (await copy.findUser(id(`before ${n}`)))!
      expect(await copy.findSync(user, syncId(n))).toBeDefined()
      expect(await rowsOf(copy, EPOCH + 18, user)).toHaveLength(2)
    }
    // The copy gives the number of a user who came later to somebody else.
    const stranger = await copy.addUser(id('stranger'), 1, 100)
    expect(stranger).toBe(users + 1)
    for (const epoch of await copy.epochs()) expect(await rowsOf(copy, epoch, stranger)).toEqual([])
    await copy.close()
  })

  it('a restored store erases the users again who were erased after the backup, once', async () => {
    await add('a', 1)
    await add('b', 2)
    await store.backUp(at('copy'))
    await store.eraseUser(id('a'), 100)
    await restoreStore(at('copy'), at('without'))
    const forgotten = await open('without')
    expect(await forgotten.findUser(id('a'))).toBeDefined()
    await forgotten.close()

    await restoreStore(at('copy'), at('restored'))
    for (let i = 0; i < 2; i++) {
      const restored = await open('restored', at('erased'))
      const known = await Promise.all(['a', 'b'].map((name) => restored.findUser(id(name))))
      expect(known.map(Boolean)).toEqual([i === 1, true])
      expect((await restored.statistics()).days.map(({ rows }) => rows)).toEqual(i === 0 ? [2, 2] : [3, 2])
      // A device may come back under its id; only the restored store erases it.
      if (i === 0) {
        const again = await restored.addUser(id('a'), 1, 100)
        await restored.deposit(deposit(again, 9, [group(EPOCH, row('again'))]))
      }
      await restored.close()
    }
  })

  it('the list of erased users is kept as long as a backup may need it, and a cut line does no harm', async () => {
    await add('a', 1)
    await add('b', 2)
    await store.backUp(at('copy'))
    await store.eraseUser(id('a'), 100)
    await writeFile(at('erased'), '101 0123', { flag: 'a' })
    await store.eraseUser(id('b'), 101)
    const left = async (name: string) => {
      await restoreStore(at('copy'), at(name))
      const restored = await open(name, at('erased'))
      const known = await Promise.all(['a', 'b'].map((user) => restored.findUser(id(user))))
      await restored.close()
      return known.map(Boolean)
    }
    expect(await left('first')).toEqual([false, false])
    await store.dropBefore(101)
    expect(await left('second')).toEqual([true, false])
  })

  it('a copy never overwrites anything, and an unfinished copy is STORE_MISSING', async () => {
    await add('a', 1)
    await mkdir(at('used'))
    await writeFile(join(at('used'), 'file'), '')
    await expect(store.backUp(at('used'))).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await store.backUp(at('copy'))
    await expect(store.backUp(at('copy'))).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await expect(restoreStore(at('copy'), at('store'))).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await rm(join(at('copy'), 'store.json'))
    await expect(restoreStore(at('copy'), at('new'))).rejects.toMatchObject({ code: 'STORE_MISSING' })
    // A folder that is no backup is refused before anything is made.
    expect(existsSync(at('new'))).toBe(false)
    await expect(open('copy')).rejects.toMatchObject({ code: 'STORE_MISSING' })
  })
})
