import { describe, expect, it } from 'vitest'
import { canMount, runOnSmallDisk } from '../../../scripts/small-disk.js'
import { encryptedStorage } from '../../src/storage/encrypted-storage.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { recentStorage } from '../../src/storage/recent-storage.ts'
import { del, put, type Storage } from '../../src/storage/storage.ts'

const one = Uint8Array.of(1)
const two = Uint8Array.of(2)

/** A memory storage whose next batch fails after or before it took effect. */
function failing() {
  const inner = memoryStorage()
  const failure = { next: 'none' as 'none' | 'landed' | 'nothing' }
  const storage: Storage = {
    ...inner,
    batch: async (operations) => {
      const { next } = failure
      failure.next = 'none'
      if (next !== 'nothing') await inner.batch(operations)
      if (next !== 'none') throw new Error('Input/output error')
    },
  }
  return { storage, failure }
}

describe('a storage whose writes fail', () => {
  const title = 'level and encrypted storages lose nothing that they acknowledged on a disk that is full for a while'
  it.skipIf(!canMount())(
    canMount() ? title : `${title} (skipped: this machine mounts no tmpfs in a user namespace)`,
    async () => {
      const results: Record<string, { failures: number; codes: string[]; acknowledged: number; lost: number }> =
        await runOnSmallDisk('/client/test/storage/full-disk-child.ts', '16m')
      expect(Object.keys(results)).toEqual(['level', 'encrypted'])
      for (const [name, { failures, codes, ...rest }] of Object.entries(results)) {
        expect(failures, name).toBeGreaterThan(20)
        expect(codes, name).toEqual(['STORAGE_FULL'])
        expect(rest, name).toEqual({ acknowledged: 300, lost: 0 })
      }
    },
  )

  for (const how of ['landed', 'nothing'] as const) {
    it(`an encrypted storage stays readable after a failed batch that ${how === 'landed' ? 'is' : 'is not'} on the disk`, async () => {
      const { storage: inner, failure } = failing()
      const key = new Uint8Array(32).fill(3)
      const storage = await encryptedStorage(inner, key)
      await storage.batch([put('a', one), put('b', one)])
      failure.next = how
      await expect(storage.batch([put('a', two), del('b'), put('c', two)])).rejects.toThrow('Input/output')
      const landed = how === 'landed'
      expect(await storage.get('a')).toEqual(landed ? two : one)
      const keys: string[] = []
      for await (const [name] of storage.range('')) keys.push(name)
      expect(keys).toEqual(landed ? ['a', 'c'] : ['a', 'b'])
      await storage.batch([put('d', one)])
      const again = await encryptedStorage(inner, key)
      expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => again.get(name)))).toEqual(
        landed ? [two, undefined, two, one] : [one, one, undefined, one],
      )
    })
  }

  it('a storage of recent entries forgets what it read during a batch that failed and is on the disk', async () => {
    const { storage: inner, failure } = failing()
    const storage = recentStorage(inner)
    await storage.batch([put('a', one)])
    failure.next = 'landed'
    const batch = storage.batch([put('a', two)])
    const during = storage.get('a')
    await expect(batch).rejects.toThrow('Input/output')
    await during
    expect(await storage.get('a')).toEqual(two)
  })
})
