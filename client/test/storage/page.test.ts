import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encryptedStorage } from '../../src/storage/encrypted-storage.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { del, put, type Storage, type StorageOperation } from '../../src/storage/storage.ts'

const KEY = crypto.getRandomValues(new Uint8Array(32))
const CORRUPT = { code: 'STORAGE_CORRUPT', data: { what: 'sealed' } }
/** Enough for two pages and loose entries. */
const KEYS = 300

const toKey = (n: number) => `${n % 10 === 9 ? 'meta/' : 'fix/'}${n.toString(16).padStart(8, '0')}`

async function dump(storage: Storage): Promise<[string, Uint8Array][]> {
  const entries: [string, Uint8Array][] = []
  for await (const entry of storage.range('')) entries.push(entry)
  return entries
}

async function fill(disk: Storage): Promise<void> {
  const storage = await encryptedStorage(disk, KEY)
  await storage.batch(Array.from({ length: KEYS }, (_, n) => put(toKey(n), Uint8Array.of(n & 255))))
}

describe('the pages of a sealed storage', () => {
  it('a storage that packs its entries holds after each batch and each opening what a map would hold', async () => {
    const change = fc.record({ n: fc.nat(KEYS), bytes: fc.option(fc.uint8Array({ maxLength: 40 })) })
    const step = fc.record({ changes: fc.array(change, { maxLength: 30 }), reopens: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const disk = memoryStorage()
        await fill(disk)
        let storage = await encryptedStorage(disk, KEY)
        const model = new Map<string, Uint8Array>(
          Array.from({ length: KEYS }, (_, n) => [toKey(n), Uint8Array.of(n & 255)]),
        )
        for (const { changes, reopens } of steps) {
          const operations = changes.map(
            ({ n, bytes }): StorageOperation => (bytes === null ? del(toKey(n)) : put(toKey(n), bytes)),
          )
          await storage.batch(operations)
          for (const item of operations) {
            if (item.type === 'del') model.delete(item.key)
            else model.set(item.key, item.value)
          }
          if (reopens) storage = await encryptedStorage(disk, KEY)
          const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
          expect(await dump(storage)).toEqual(expected)
        }
      }),
      { numRuns: 5 },
    )
  })

  it('an opening packs a large family into few disk entries, and a value that is written again leaves its page', async () => {
    const disk = memoryStorage()
    await fill(disk)
    expect((await dump(disk)).length).toBe(KEYS + 1)
    const storage = await encryptedStorage(disk, KEY)
    // The index, 30 loose entries of the small family, 14 that fill no second page, and one page of 256.
    expect((await dump(disk)).length).toBe(1 + 30 + 14 + 1)
    await storage.batch([put(toKey(0), Uint8Array.of(77)), del(toKey(1))])
    expect((await dump(disk)).length).toBe(1 + 30 + 14 + 1 + 1)
    expect(await storage.get(toKey(0))).toEqual(Uint8Array.of(77))
    expect(await storage.get(toKey(1))).toBeUndefined()
    await storage.batch(Array.from({ length: KEYS }, (_, n) => del(toKey(n))))
    expect((await dump(disk)).length).toBe(1)
  })

  it('a page that is gone or an older copy of one is reported as corrupt at the opening', async () => {
    const disk = memoryStorage()
    await fill(disk)
    const storage = await encryptedStorage(disk, KEY)
    const before = await dump(disk)
    await storage.batch([del(toKey(0))])
    const [name, page] = (await dump(disk)).sort(([, a], [, b]) => b.length - a.length)[0]!
    const older = before.find(([other]) => other === name)![1]
    expect(older.length).toBeGreaterThan(page.length)
    await disk.batch([put(name, older)])
    await expect(encryptedStorage(disk, KEY)).rejects.toMatchObject(CORRUPT)
    await disk.batch([del(name)])
    await expect(encryptedStorage(disk, KEY)).rejects.toMatchObject(CORRUPT)
  })

  it('an opening on a full disk packs nothing and loses nothing', async () => {
    const disk = memoryStorage()
    await fill(disk)
    const full: Storage = { ...disk, batch: () => Promise.reject(new Error('full')) }
    const storage = await encryptedStorage(full, KEY)
    expect((await dump(storage)).length).toBe(KEYS)
    expect((await dump(disk)).length).toBe(KEYS + 1)
  })
})
