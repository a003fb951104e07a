/** The conformance suite of every storage of the client. An implementation passes a factory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { del, put, type Storage } from '../../src/storage/storage.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

async function collect(storage: Storage, prefix: string): Promise<[string, number[]][]> {
  const entries: [string, number[]][] = []
  for await (const [key, value] of storage.range(prefix)) entries.push([key, [...value]])
  return entries
}

/** `open` opens the same location each time; `clear` empties that location. */
export function storageConformance(name: string, open: () => Promise<Storage>, clear: () => Promise<void>): void {
  describe(`${name} as a storage`, () => {
    let storage: Storage
    beforeEach(async () => {
      await clear()
      storage = await open()
    })
    afterEach(() => storage.close())

    it(`${name}: a storage gives back what was put, and nothing for other keys`, async () => {
      await storage.batch([put('a', bytes(1, 2)), put('empty', bytes())])
      expect([...(await storage.get('a'))!]).toEqual([1, 2])
      expect((await storage.get('empty'))!.length).toBe(0)
      expect(await storage.get('b')).toBeUndefined()
    })

    it(`${name}: values are copies`, async () => {
      const value = bytes(1, 2, 3)
      await storage.batch([put('a', value)])
      value.fill(9)
      const first = (await storage.get('a'))!
      first.fill(8)
      expect([...(await storage.get('a'))!]).toEqual([1, 2, 3])
    })

    it(`${name}: the operations of a batch apply in order`, async () => {
      await storage.batch([put('a', bytes(1)), del('a'), put('b', bytes(1)), put('b', bytes(2)), del('never')])
      expect(await storage.get('a')).toBeUndefined()
      expect([...(await storage.get('b'))!]).toEqual([2])
    })

    it(`${name}: a range gives the keys of its prefix only, ascending`, async () => {
      const keys = ['fix/0a', 'fix/00', 'fix', 'fix0', 'fiw/ff', 'fixx/1', 'fix/ff', 'fix/09']
      await storage.batch(keys.map((key, i) => put(key, bytes(i))))
      expect((await collect(storage, 'fix/')).map(([key]) => key)).toEqual(['fix/00', 'fix/09', 'fix/0a', 'fix/ff'])
      expect((await collect(storage, '')).length).toBe(keys.length)
      expect(await collect(storage, 'none/')).toEqual([])
    })

    it(`${name}: a range may be left early, and its entries deleted during it`, async () => {
      await storage.batch([put('k/1', bytes(1)), put('k/2', bytes(2)), put('k/3', bytes(3))])
      for await (const [key] of storage.range('k/')) {
        await storage.batch([del(key)])
        if (key === 'k/2') break
      }
      expect((await collect(storage, 'k/')).map(([key]) => key)).toEqual(['k/3'])
    })

    it(`${name}: a batch takes a thousand operations`, async () => {
      const key = (i: number) => `n/${i.toString(16).padStart(8, '0')}`
      await storage.batch(Array.from({ length: 1000 }, (_, i) => put(key(i), bytes(i & 255, i >> 8))))
      const entries = await collect(storage, 'n/')
      expect(entries.map(([item]) => item)).toEqual(Array.from({ length: 1000 }, (_, i) => key(i)))
    })
  })
}
