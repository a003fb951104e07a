import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase, prefixRange } from '../../../src/central/store/database.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('a database', () => {
  let dir: string
  let database: Database
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-database-'))
    database = await openDatabase(join(dir, 'a'), 'a', true)
  })
  afterEach(async () => {
    await database.close()
    await rm(dir, { recursive: true })
  })

  it('a written key is found after the database was closed and opened again', async () => {
    await database.write([{ key: bytes(1), body: bytes(7, 8) }])
    await database.close()
    database = await openDatabase(join(dir, 'a'), 'a', false)
    expect(await database.get(bytes(1))).toEqual(bytes(7, 8))
    expect(await database.get(bytes(2))).toBeUndefined()
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
  })

  it('many writes at the same time are all kept, and the last one of a key wins', async () => {
    const writes = Array.from({ length: 200 }, (_, n) => [
      { key: bytes(1, n), body: bytes(n) },
      { key: bytes(2), body: bytes(n) },
    ])
    await Promise.all(writes.map((operations) => database.write(operations)))
    const found: number[] = []
    for await (const [, body] of database.entries(prefixRange(bytes(1)))) found.push(body[0]!)
    expect(found).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(await database.get(bytes(2))).toEqual(bytes(199))
  })

  it('a second opening is STORE_LOCKED, and a missing database is STORE_MISSING', async () => {
    await expect(openDatabase(join(dir, 'a'), 'a', false)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await expect(openDatabase(join(dir, 'b'), 'b', false)).rejects.toMatchObject({ code: 'STORE_MISSING' })
  })

  it('a database is not created over an existing one', async () => {
    await database.write([{ key: bytes(1), body: bytes(7) }])
    await database.close()
    await expect(openDatabase(join(dir, 'a'), 'a', true)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    database = await openDatabase(join(dir, 'a'), 'a', false)
    expect(await database.get(bytes(1))).toEqual(bytes(7))
  })
})
