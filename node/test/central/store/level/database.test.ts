import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Database,
  type DatabaseInit,
  lazyDatabase,
  openDatabase,
} from '../../../../src/central/store/level/database.ts'
import { emptyTally } from '../../../../src/central/store/level/tally.ts'
import { valueSeal } from '../../../../src/central/store/sealed-value.ts'
import { openLevel, prefixRange } from '../../../../src/platform/level-handle.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { TornDisk } from './torn-disk.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('a database', () => {
  let dir: string
  let database: Database
  const clock = simulatedClock(0)
  const seal = valueSeal(new Uint8Array(32), systemRandom)
  const open = (more: Partial<DatabaseInit> = {}): Promise<Database> =>
    openDatabase({
      dir: join(dir, 'a'),
      what: 'a',
      create: false,
      open: openLevel,
      clock,
      seal,
      known: emptyTally(1),
      ...more,
    })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-database-'))
    database = await open({ create: true })
  })
  afterEach(async () => {
    await database.close()
    await rm(dir, { recursive: true })
  })

  it('a written key and the counts are found after the database was closed and opened again', async () => {
    await database.write([{ key: bytes(1), body: bytes(7, 8) }], [5])
    await database.write([{ key: bytes(3), body: bytes(9) }], [-2])
    await database.close()
    database = await open()
    expect(await database.get(bytes(1))).toEqual(bytes(7, 8))
    expect(await database.get(bytes(2))).toBeUndefined()
    expect(database.tally).toMatchObject({ writes: 2, entries: 2, counts: [3] })
  })

  it('a range has the keys of its prefix in ascending order, and an operation without a body deletes its key', async () => {
    const keys = [bytes(2), bytes(1, 255), bytes(1, 0), bytes(0, 9), bytes(1)]
    await database.write(keys.map((key) => ({ key, body: key })))
    await database.write([{ key: bytes(1, 0) }])
    const found: [Uint8Array, Uint8Array][] = []
    for await (const entry of database.entries(prefixRange(bytes(1)))) found.push(entry)
    expect(found).toEqual([
      [bytes(1), bytes(1)],
      [bytes(1, 255), bytes(1, 255)],
    ])
    const listed: Uint8Array[] = []
    for await (const key of database.keys(prefixRange(bytes(1)))) listed.push(key)
    expect(listed).toEqual([bytes(1), bytes(1, 255)])
    expect(database.tally.entries).toBe(4)
  })

  it('many writes at the same time are all kept and counted, and the last one of a key wins', async () => {
    const writes = Array.from({ length: 200 }, (_, n) => [
      { key: bytes(1, n), body: bytes(n) },
      { key: bytes(2), body: bytes(n) },
    ])
    await Promise.all(writes.map((operations) => database.write(operations, [1])))
    const found: number[] = []
    for await (const [, body] of database.entries(prefixRange(bytes(1)))) found.push(body[0]!)
    expect(found).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(await database.get(bytes(2))).toEqual(bytes(199))
    expect(database.tally).toMatchObject({ entries: 201, counts: [200] })
  })

  it('a second opening is STORE_LOCKED, and a missing database is STORE_MISSING', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await expect(open({ dir: join(dir, 'b') })).rejects.toMatchObject({ code: 'STORE_MISSING' })
  })

  it('a database is not created over an existing one', async () => {
    await database.write([{ key: bytes(1), body: bytes(7) }])
    await database.close()
    await expect(open({ create: true })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    database = await open()
    expect(await database.get(bytes(1))).toEqual(bytes(7))
  })

  it('a database with fewer writes than its witness says is STORAGE_CORRUPT', async () => {
    await database.write([{ key: bytes(1), body: bytes(7) }])
    await database.close()
    await expect(open({ known: { ...emptyTally(1), writes: 2 } })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    database = await open({ known: { ...emptyTally(1), writes: 1 } })
  })

  it('a verification finds an entry that changed, appeared or vanished without the tally, and then nothing is answered', async () => {
    await database.write([1, 2, 3].map((n) => ({ key: bytes(n), body: bytes(n, n) })))
    await database.close()
    const entry = async (n: number) => {
      const handle = await openLevel(join(dir, 'a'))
      const value = (await handle.get(bytes(n)))!
      await handle.close()
      return value
    }
    const kept = await entry(2)
    for (const change of [
      { key: bytes(2) },
      { key: bytes(2), value: await entry(1) },
      { key: bytes(4), value: kept },
    ]) {
      const handle = await openLevel(join(dir, 'a'))
      await handle.write([change], true)
      await handle.close()
      database = lazyDatabase({ dir: join(dir, 'a'), what: 'a', open: openLevel, clock, seal, known: emptyTally(1) })
      await expect(database.verify()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
      // Entries that nobody changed give no answer either, because the damage could be the lack of an entry.
      await expect(database.get(bytes(1))).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
      await expect(database.write([{ key: bytes(9), body: bytes(9) }])).rejects.toMatchObject({
        code: 'STORAGE_CORRUPT',
      })
      expect(database.condition).toBe('damaged')
      await database.close()
      // As a process leaves it that ended before everything was checked.
      await writeFile(join(dir, 'a', 'UNCHECKED'), '')
      await expect(open()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
      const repair = await openLevel(join(dir, 'a'))
      await repair.write([{ key: bytes(4) }, { key: bytes(2), value: kept }], true)
      await repair.close()
    }
    database = await open()
    expect(database.condition).toBe('sound')
    await database.verify()
  })

  it('a write that is missing in the middle of the log is STORAGE_CORRUPT before the first answer', async () => {
    for (let n = 0; n < 3; n++) await database.write([{ key: bytes(n), body: new Uint8Array(40_000).fill(n) }])
    await database.close()
    const [name] = (await readdir(join(dir, 'a'))).filter((item) => item.endsWith('.log'))
    const log = await readFile(join(dir, 'a', name!))
    log[60_000]! ^= 1
    await writeFile(join(dir, 'a', name!), log)
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    log[60_000]! ^= 1
    await writeFile(join(dir, 'a', name!), log)
    database = await open()
  })

  it('a failed write closes the database, and later writes are taken only after it was opened again and counted', async () => {
    const disk = new TornDisk()
    const torn = await open({ dir: join(dir, 'torn'), create: true, open: disk.open })
    await torn.write([{ key: bytes(1), body: bytes(1) }])
    Object.assign(disk, { failAt: disk.writes + 1, failedOpenings: 2 })
    await expect(torn.write([{ key: bytes(2), body: bytes(2) }])).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(torn.condition).toBe('full')
    // The disk is still full, and the pause between two attempts is not over.
    await expect(torn.write([{ key: bytes(3), body: bytes(3) }])).rejects.toMatchObject({ code: 'BUSY' })
    await expect(torn.get(bytes(1))).rejects.toMatchObject({ code: 'BUSY' })
    await clock.advanceTo(clock.now() + 1_000)
    await expect(torn.get(bytes(1))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    await clock.advanceTo(clock.now() + 1_000)
    await torn.write([{ key: bytes(4), body: bytes(4) }])
    expect(torn.condition).toBe('sound')
    await torn.close()
    const again = await open({ dir: join(dir, 'torn'), open: disk.open, known: { ...emptyTally(1), writes: 2 } })
    expect(await Promise.all([1, 2, 3, 4].map((n) => again.get(bytes(n))))).toEqual([
      bytes(1),
      undefined,
      undefined,
      bytes(4),
    ])
    await again.close()
  })

  it('a write that waits during a failed write is not acknowledged on the failed handle', async () => {
    const disk = Object.assign(new TornDisk(), { code: 'EIO' })
    const torn = await open({ dir: join(dir, 'torn'), create: true, open: disk.open })
    disk.failAt = disk.writes + 1
    const [failed, waiting] = await Promise.allSettled([
      torn.write([{ key: bytes(1), body: bytes(1) }]),
      torn.write([{ key: bytes(2), body: bytes(2) }]),
    ])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } })
    expect(waiting.status).toBe('fulfilled')
    await torn.close()
    const again = await open({ dir: join(dir, 'torn'), open: disk.open })
    expect(await again.get(bytes(2))).toEqual(bytes(2))
    await again.close()
  })
})
