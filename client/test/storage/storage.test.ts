import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { levelStorage } from '../../src/node.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { recentStorage } from '../../src/storage/recent-storage.ts'
import { put, type Storage } from '../../src/storage/storage.ts'
import { storageConformance } from './storage-conformance.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'geotrace-storage-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

let memory: Storage
storageConformance(
  'memory',
  async () => memory,
  async () => {
    memory = memoryStorage()
  },
)
storageConformance(
  'recent entries',
  async () => recentStorage(memory),
  async () => {
    memory = memoryStorage()
  },
)
storageConformance(
  'level',
  () => levelStorage(join(root, 'suite')),
  () => rm(join(root, 'suite'), { recursive: true, force: true }),
)

describe('level in Node', () => {
  it('level keeps its entries over a restart, in a directory that only its owner can enter', async () => {
    const dir = join(root, 'kept')
    const first = await levelStorage(dir)
    await first.batch([put('a', Uint8Array.of(7))])
    await first.close()
    const second = await levelStorage(dir)
    expect([...(await second.get('a'))!]).toEqual([7])
    await second.close()
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
  })

  it('a level storage refuses a second owner', async () => {
    const dir = join(root, 'locked')
    const first = await levelStorage(dir)
    await expect(levelStorage(dir)).rejects.toMatchObject({ code: 'STORE_LOCKED', data: { dir } })
    await first.close()
  })
})

describe('recentStorage', () => {
  const one = Uint8Array.of(1)
  const two = Uint8Array.of(2)

  /** A storage that counts its reads, and whose batches wait or fail. */
  function slow() {
    const inner = memoryStorage()
    const waiting: { resolve(): void; reject(error: Error): void }[] = []
    const asked: string[] = []
    const storage: Storage = {
      ...inner,
      get: (key) => {
        asked.push(key)
        return inner.get(key)
      },
      batch: async (operations) => {
        await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
        await inner.batch(operations)
      },
    }
    return { storage: recentStorage(storage), waiting, asked }
  }

  it('a recent entry is not read again, present or absent, and at most 128 entries are kept', async () => {
    const { storage, waiting, asked } = slow()
    for (let i = 0; i < 3; i++) expect(await storage.get('absent')).toBeUndefined()
    const written = storage.batch([put('a', one)])
    waiting[0]!.resolve()
    await written
    for (let i = 0; i < 3; i++) expect(await storage.get('a')).toEqual(one)
    expect(asked).toEqual(['absent'])
    for (let i = 0; i < 500; i++) await storage.get(`other ${i}`)
    expect(await storage.get('a')).toEqual(one)
    expect(asked.filter((key) => key === 'a')).toHaveLength(1)
  })

  it('a read during a batch, and after a failed one, gives the value on the disk', async () => {
    const { storage, waiting } = slow()
    const first = storage.batch([put('a', one)])
    expect(await storage.get('a')).toBeUndefined()
    waiting[0]!.resolve()
    await first
    expect(await storage.get('a')).toEqual(one)
    const second = storage.batch([put('a', two)])
    const meanwhile = storage.get('a')
    waiting[1]!.reject(new Error('no room'))
    await expect(second).rejects.toThrow('no room')
    expect(await meanwhile).toEqual(one)
    expect(await storage.get('a')).toEqual(one)
  })
})
