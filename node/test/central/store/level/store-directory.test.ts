import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCheckedFile, writeCheckedFile } from '../../../../src/central/store/checked-file.ts'
import { isOneDisk } from '../../../../src/central/store/store-keys.ts'
import { storeOnDisk } from './store-on-disk.ts'

describe('the directory of a level store', () => {
  const disk = storeOnDisk()

  it('only the owner can read the directory and the files of a store', async () => {
    await disk.fillAndClose()
    const files = await disk.files('.')
    expect(files.length).toBeGreaterThan(5)
    for (const path of [...files, join(disk.dir, 'meta'), join(disk.dir, 'day-100'), disk.dir]) {
      expect((await stat(path)).mode & 0o077).toBe(0)
    }
  })

  it('a store whose keys other users can read is FILE_EXPOSED, with the command that repairs it', async () => {
    await disk.store.close()
    for (const mode of [0o604, 0o640]) {
      await chmod(`${disk.dir}.keys`, mode)
      await expect(disk.open()).rejects.toMatchObject({
        code: 'FILE_EXPOSED',
        data: { next: expect.stringContaining(`chmod 600 '${disk.dir}.keys'`) },
      })
    }
    await chmod(`${disk.dir}.keys`, 0o600)
    await disk.open()
  })

  it('the store knows whether its keys are on its own disk or on another one', async () => {
    expect(await isOneDisk(`${disk.dir}.keys`, disk.dir)).toBe(true)
    const memory = '/dev/shm'
    if (!existsSync(memory) || (await stat(memory)).dev === (await stat(disk.dir)).dev) return
    const other = await mkdtemp(join(memory, 'geotrace-keys-'))
    await writeFile(join(other, 'keys'), '')
    expect(await isOneDisk(join(other, 'keys'), disk.dir)).toBe(false)
    await rm(other, { recursive: true })
  })

  for (const part of ['meta', 'store.json', 'meta/CURRENT']) {
    it(`a store without ${part} is STORE_MISSING and does not start again empty`, async () => {
      const user = await disk.fillAndClose()
      expect(await disk.readDamaged(user, (copy) => rm(join(copy, part), { recursive: true }))).toBe('STORE_MISSING')
    })
  }

  it('a cut marker file is STORAGE_CORRUPT', async () => {
    const user = await disk.fillAndClose()
    expect(await disk.readDamaged(user, (copy) => truncate(join(copy, 'store.json'), 20))).toBe('STORAGE_CORRUPT')
  })

  it('an interrupted founding starts again at the next opening', async () => {
    await disk.store.close()
    const marker = join(disk.dir, 'store.json')
    await writeCheckedFile(marker, { ...((await readCheckedFile(marker)) as object), state: 'founding' })
    await rm(join(disk.dir, 'meta', 'CURRENT'))
    await disk.open()
    expect((await disk.store.statistics()).users).toBe(0)
  })
})
