import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import { writeCheckedFile } from '../../../../src/central/store/checked-file.ts'
import { deposit, group, id, row } from '../sample.ts'
import { EPOCH, ROWS_FILLED, storeOnDisk } from './store-on-disk.ts'

/** Replaces a database by one that LevelDB opens as empty. */
async function emptyDatabase(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
  const empty = new Level(path)
  await empty.open()
  await empty.close()
}

describe('the databases of days', () => {
  const disk = storeOnDisk()

  it('each UTC day has a directory, which retention removes permanently', async () => {
    const user = await disk.store.addUser(id('a'), 1, 100)
    for (const day of [100, 101, 103]) {
      await disk.store.deposit(deposit(user, day, [group(day * EPOCHS_PER_DAY + 17, row(day))]))
    }
    const days = async () => (await readdir(disk.dir)).filter((name) => name.startsWith('day-')).sort()
    expect(await days()).toEqual(['day-100', 'day-101', 'day-103'])
    await disk.store.dropBefore(103)
    expect(await days()).toEqual(['day-103'])
    await expect(disk.store.deposit(deposit(user, 9, [group(EPOCH, row(1))]))).rejects.toThrow(RangeError)
  })

  it('an unlisted day without acknowledged rows is removed at the opening', async () => {
    await disk.store.close()
    await emptyDatabase(join(disk.dir, 'day-7'))
    await disk.open()
    expect(await readdir(disk.dir)).not.toContain('day-7')
  })

  for (const part of ['day-100', 'day-100/CURRENT']) {
    it(`a store without ${part} is STORE_MISSING and does not start again empty`, async () => {
      const user = await disk.fillAndClose()
      expect(await disk.readDamaged(user, (copy) => rm(join(copy, part), { recursive: true }))).toBe('STORE_MISSING')
    })
  }

  for (const part of ['meta', 'day-100']) {
    it(`a database ${part} that LevelDB opens as empty is STORAGE_CORRUPT`, async () => {
      const user = await disk.fillAndClose()
      expect(await disk.readDamaged(user, (copy) => emptyDatabase(join(copy, part)))).toBe('STORAGE_CORRUPT')
    })
  }

  it('the rows of each day are known after the witness file was lost, before any other answer', async () => {
    await disk.fillAndClose()
    for (const damage of [
      (path: string) => rm(path),
      (path: string) => writeFile(path, 'damaged'),
      // As a kill in the first seconds leaves it.
      async (path: string) => writeCheckedFile(path, {}),
    ]) {
      await damage(join(disk.dir, 'witness.json'))
      await disk.open()
      expect((await disk.store.statistics()).days.map(({ rows }) => rows)).toEqual([
        ROWS_FILLED * 0.9,
        ROWS_FILLED * 0.1,
      ])
      await disk.store.close()
    }
    await disk.open()
  })

  it('a day whose log is lost is STORAGE_CORRUPT, although LevelDB opens without the log', async () => {
    const user = await disk.fillAndClose()
    expect(await disk.readDamaged(user, async () => {})).toBe(ROWS_FILLED)
    const outcome = await disk.readDamaged(user, async (copy) => {
      for (const path of await disk.files('day-100', copy)) if (path.endsWith('.log')) await writeFile(path, '')
    })
    expect(outcome).toBe('STORAGE_CORRUPT')
  })
})
