/** What every storage of the client must do; an implementation passes a factory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { del, put, type Storage } from '../../src/storage/storage.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

async function collect(storage: Storage, prefix: string): Promise<[string, number[]][]> {
  const entries: [string, number[]][] = []
  for await (const [key, value] of storage.range(prefix)) entries.push([key, [...value]])
  return entries
}

/** `open` opens the same place again and again; `clear` makes it a fresh one. */
export function storageConformance(name: string, open: () => Promise<Storage>, clear: () => Promise<void>): void {
  describe(`${name} as a storage`, () => {
    let storage: Storage
    beforeEach(async () => {
      await clear()
      storage = await open()
    })
    afterEach(() => storage.close())

    it('gives back what was put, and nothing for what was not', async () => {
      await storage.batch([put('a', bytes(1, 2)), put('empty', bytes())])
      expect([...(await storage.get('a'))!]).toEqual([1, 2])
      expect((await storage.get('empty'))!.length).toBe(0)
      expect(await storage.get('b')).toBeUndefined()
    })

    it('hands out plain copies', async () => {
      const value = bytes(1, 2, 3)
      await storage.batch([put('a', value)])
      value.fill(9)
      const first = (await storage.get('a'))!
      first.fill(8)
      expect([...(await storage.get('a'))!]).toEqual([1, 2, 3])
    })

    it('applies the operations of a batch in order', async () => {
      await storage.batch([put('a', bytes(1)), del('a'), put('b', bytes(1)), put('b', bytes(2)), del('never')])
      expect(await storage.get('a')).toBeUndefined()
      expect([...(await storage.get('b'))!]).toEqual([2])
    })

    it('ranges over a prefix and nothing else, ascending', async () => {
      const keys = ['fix/0a', 'fix/00', 'fix', 'fix0', 'fiw/ff', 'fixx/1', 'fix/ff', 'fix/09']
      await storage.batch(keys.map((key, i) => put(key, bytes(i))))
      expect((await collect(storage, 'fix/')).map(([key]) => key)).toEqual(['fix/00', 'fix/09', 'fix/0a', 'fix/ff'])
      expect((await collect(storage, '')).length).toBe(keys.length)
      expect(await collect(storage, 'none/')).toEqual([])
    })

    it('lets a range be left early and written during', async () => {
      await storage.batch([put('k/1', bytes(1)), put('k/2', bytes(2)), put('k/3', bytes(3))])
      for await (const [key] of storage.range('k/')) {
        await storage.batch([del(key)])
        if (key === 'k/2') break
      }
      expect((await collect(storage, 'k/')).map(([key]) => key)).toEqual(['k/3'])
    })

    it('takes a thousand operations at once', async () => {
      const key = (i: number) => `n/${i.toString(16).padStart(8, '0')}`
      await storage.batch(Array.from({ length: 1000 }, (_, i) => put(key(i), bytes(i & 255, i >> 8))))
      const entries = await collect(storage, 'n/')
      expect(entries.map(([item]) => item)).toEqual(Array.from({ length: 1000 }, (_, i) => key(i)))
    })
  })
}
