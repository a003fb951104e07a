import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLevel } from '../../src/platform/level-handle.ts'
import { areLogsWhole, listTables, type TableFile, tableChecks } from '../../src/platform/level-tables.ts'

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
  const checkAll = (tables: readonly TableFile[]) => tableChecks(dir, tables, 'test').all()

  it('sound tables are listed and pass, and a table that no manifest lists is not read', async () => {
    const tables = await listTables(dir)
    expect(tables.length).toBeGreaterThan(1)
    await checkAll(tables)
    await copyFile(join(dir, tables[0]!.name), join(dir, '999999.ldb'))
    expect(await listTables(dir)).toEqual(tables)
    // LevelDB removes a table when a compaction ends.
    await checkAll([...tables, { ...tables[0]!, name: '999998.ldb' }])
  })

  it('a flipped bit anywhere in a table, and a shorter table, are STORAGE_CORRUPT', async () => {
    const table = (await listTables(dir))[0]!
    const path = join(dir, table.name)
    const whole = await readFile(path)
    const step = Math.ceil(whole.length / 300)
    const places = Array.from({ length: whole.length }, (_, n) => n).filter(
      (n) => n % step === 0 || n > whole.length - 60,
    )
    for (const at of places) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1 << (at % 8)
      await writeFile(path, bytes)
      await expect(checkAll([table]), `byte ${at}`).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
    for (const length of [0, 1, 47, 48, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length))
      await expect(checkAll([table])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
    expect(places.length).toBeGreaterThan(300)
  })

  it('a check of one key reads the block that may have the key, and finds no damage of another block', async () => {
    const [table] = await listTables(dir)
    const path = join(dir, table!.name)
    const whole = await readFile(path)
    const keys = [table!.first, table!.last]
    /** For each flipped byte: which of the two keys, the first and the last of the table, have damage. */
    const outcomes = new Set<string>()
    for (let at = 0; at < whole.length; at += 911) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1
      await writeFile(path, bytes)
      const isDamaged = keys.map((key) =>
        tableChecks(dir, [table!], 'test')
          .range({ from: key, to: key })
          .then(
            () => 'sound',
            () => 'damaged',
          ),
      )
      outcomes.add((await Promise.all(isDamaged)).join(' '))
      // The whole range has every block.
      const all = tableChecks(dir, [table!], 'test').range({ from: keys[0]!, to: keys[1]! })
      await expect(all).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
    expect([...outcomes].sort()).toEqual(['damaged damaged', 'damaged sound', 'sound damaged', 'sound sound'])
  })

  it('logs are whole unless a bit is flipped or the end is missing', async () => {
    const level = await openLevel(dir)
    for (let n = 0; n < 30; n++) await level.write([{ key: Uint8Array.of(n), value: new Uint8Array(3_000) }], true)
    await level.close()
    expect(await areLogsWhole(dir)).toBe(true)
    const names = (await readdir(dir)).filter((name) => name.endsWith('.log') || name.startsWith('MANIFEST'))
    expect(names).toHaveLength(2)
    for (const name of names) {
      const path = join(dir, name)
      const whole = await readFile(path)
      for (let n = 0; n < 100; n++) {
        const bytes = Buffer.from(whole)
        bytes[Math.floor((n * whole.length) / 100)]! ^= 1 << (n % 8)
        await writeFile(path, bytes)
        expect(await areLogsWhole(dir), `${name}, ${n} %`).toBe(false)
      }
      await writeFile(path, whole.subarray(0, -1))
      expect(await areLogsWhole(dir)).toBe(false)
      await writeFile(path, whole)
    }
  })

  it('a directory without a readable manifest has no list, and LevelDB itself refuses it', async () => {
    await writeFile(join(dir, 'CURRENT'), 'MANIFEST-999999\n')
    expect(await listTables(dir)).toEqual([])
    await expect(openLevel(dir, { create: false })).rejects.toThrow()
  })
})
