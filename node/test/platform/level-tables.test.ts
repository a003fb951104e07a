import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLevel } from '../../src/platform/level-handle.ts'
import { listTables, verifyTables } from '../../src/platform/level-tables.ts'

describe('the tables of a LevelDB directory', () => {
  let dir: string
  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'geotrace-tables-')), 'level')
    for (let round = 0; round < 3; round++) {
      const level = await openLevel(dir, { writeBufferBytes: 1 << 16 })
      const keys = Array.from({ length: 200 }, (_, n) => createHash('sha256').update(`${round}/${n}`).digest())
      await level.write(
        keys.map((key) => ({ key, value: new Uint8Array(300).fill(key[0]!) })),
        true,
      )
      await level.close()
    }
  })
  afterEach(() => rm(join(dir, '..'), { recursive: true }))

  it('sound tables are listed and pass, and a table that no manifest lists is not read', async () => {
    const names = await listTables(dir)
    expect(names.length).toBeGreaterThan(1)
    await verifyTables(dir, names, 'test')
    await copyFile(join(dir, names[0]!), join(dir, '999999.ldb'))
    expect(await listTables(dir)).toEqual(names)
    // LevelDB removes a table when a compaction ends.
    await verifyTables(dir, [...names, '999998.ldb'], 'test')
  })

  it('a flipped bit anywhere in a table, and a shorter table, are STORAGE_CORRUPT', async () => {
    const name = (await listTables(dir))[0]!
    const path = join(dir, name)
    const whole = await readFile(path)
    const step = Math.ceil(whole.length / 300)
    const places = Array.from({ length: whole.length }, (_, n) => n).filter(
      (n) => n % step === 0 || n > whole.length - 60,
    )
    for (const at of places) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1 << (at % 8)
      await writeFile(path, bytes)
      await expect(verifyTables(dir, [name], 'test'), `byte ${at}`).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
    for (const length of [0, 1, 47, 48, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length))
      await expect(verifyTables(dir, [name], 'test')).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
    expect(places.length).toBeGreaterThan(300)
  })

  it('a directory without a readable manifest has no list, and LevelDB itself refuses it', async () => {
    await writeFile(join(dir, 'CURRENT'), 'MANIFEST-999999\n')
    expect(await listTables(dir)).toEqual([])
    await expect(openLevel(dir, { create: false })).rejects.toThrow()
  })
})
