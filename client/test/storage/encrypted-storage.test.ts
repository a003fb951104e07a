import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { levelStorage } from '../../src/node.ts'
import { encryptedStorage } from '../../src/storage/encrypted-storage.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { del, put, type Storage } from '../../src/storage/storage.ts'
import { fakeFederation, openTracer } from '../../src/testing/fake-federation.ts'
import { storageConformance } from './storage-conformance.ts'

const KEY = crypto.getRandomValues(new Uint8Array(32))
const bytes = (...values: number[]) => Uint8Array.from(values)
const text = (value: string) => new TextEncoder().encode(value)

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'geotrace-sealed-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

let memory = memoryStorage()
storageConformance(
  'memory, encrypted,',
  () => encryptedStorage(memory, KEY),
  async () => {
    memory = memoryStorage()
  },
)
storageConformance(
  'level, encrypted,',
  async () => encryptedStorage(await levelStorage(join(root, 'suite')), KEY),
  () => rm(join(root, 'suite'), { recursive: true, force: true }),
)

async function dump(storage: Storage): Promise<[string, Uint8Array][]> {
  const entries: [string, Uint8Array][] = []
  for await (const entry of storage.range('')) entries.push(entry)
  return entries
}

describe('an encrypted storage', () => {
  it('an encrypted storage gives every entry back when it is opened again under its key', async () => {
    const disk = memoryStorage()
    const first = await encryptedStorage(disk, KEY)
    await first.batch([put('fix/01', bytes(1)), put('fix/02', bytes(2)), put('meta/user', bytes(3))])
    await first.batch([put('fix/01', bytes(9)), del('meta/user')])
    // Two entries and the index.
    expect((await dump(disk)).length).toBe(3)
    const cryptoKey = await crypto.subtle.importKey('raw', KEY, 'AES-GCM', false, ['encrypt', 'decrypt'])
    const second = await encryptedStorage(disk, cryptoKey)
    expect((await dump(second)).map(([key, value]) => [key, [...value]])).toEqual([
      ['fix/01', [9]],
      ['fix/02', [2]],
    ])
  })

  it('the disk of an encrypted storage shows neither keys nor values, nor that two entries are equal', async () => {
    const disk = memoryStorage()
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { storage: await encryptedStorage(disk, KEY), redaction: {} })
    await tracer.zones.add({ lat: 51.5007, lng: -0.1246, radiusM: 200 })
    await tracer.home.mark({ lat: 51.5007, lng: -0.1246 })
    const entries = await dump(disk)
    expect(entries.length).toBeGreaterThan(4)
    const all = entries.map(([name, value]) => name + new TextDecoder('latin1').decode(value)).join('\n')
    for (const word of ['fix', 'meta', 'home', 'zones', '51.5', 'lat', 'radiusM']) expect(all).not.toContain(word)
    for (const [name] of entries) expect(name).toMatch(/^[0-9a-f]{24}$/)
    const twins = memoryStorage()
    const sealed = await encryptedStorage(twins, KEY)
    await sealed.batch([put('a', text('same')), put('b', text('same'))])
    const [one, two] = (await dump(twins)).map(([, value]) => Buffer.from(value).toString('hex').slice(24))
    expect(one).not.toBe(two)
    await tracer.close()
  })

  it('another key, a changed byte and two exchanged entries are reported as corrupt', async () => {
    const disk = memoryStorage()
    const storage = await encryptedStorage(disk, KEY)
    await storage.batch([put('a', bytes(1)), put('b', bytes(2))])
    const corrupt = { code: 'STORAGE_CORRUPT', data: { what: 'sealed' } }
    await expect(encryptedStorage(disk, new Uint8Array(32))).rejects.toMatchObject(corrupt)
    // The index comes first.
    const [[x, first], [y, second]] = (await dump(disk)).slice(1) as [[string, Uint8Array], [string, Uint8Array]]
    await disk.batch([put(x, second), put(y, first)])
    await expect(storage.get('a')).rejects.toMatchObject(corrupt)
    for (let i = 0; i < first.length; i++) {
      const changed = first.slice()
      changed[i]! ^= 1
      await disk.batch([put(x, changed), put(y, second)])
      await expect(encryptedStorage(disk, KEY)).rejects.toMatchObject(corrupt)
    }
    await disk.batch([del(x), put(y, second)])
    await expect(Promise.all([storage.get('a'), storage.get('b')])).rejects.toMatchObject(corrupt)
    await expect(encryptedStorage(disk, new Uint8Array(31))).rejects.toThrow(RangeError)
  })

  it('the first read after the opening opens no entry again, and a value that changed meanwhile is the new one', async () => {
    const disk = memoryStorage()
    const before = await encryptedStorage(disk, KEY)
    await before.batch([put('a', bytes(1)), put('b', bytes(2)), put('c', bytes(3))])
    const reads: string[] = []
    const counting: Storage = {
      ...disk,
      get: (key) => {
        reads.push(key)
        return disk.get(key)
      },
    }
    const storage = await encryptedStorage(counting, KEY)
    await storage.batch([put('b', bytes(9)), del('c')])
    expect(await dump(storage)).toEqual([
      ['a', bytes(1)],
      ['b', bytes(9)],
    ])
    // Only the changed entry was read.
    expect(reads).toHaveLength(1)
    await dump(storage)
    expect(reads).toHaveLength(3)
  })

  it('an encrypted storage keeps its entries when its disk refuses a batch', async () => {
    const disk = memoryStorage()
    let full = false
    const refusing: Storage = {
      ...disk,
      batch: (operations) => (full ? Promise.reject(new Error('full')) : disk.batch(operations)),
    }
    const storage = await encryptedStorage(refusing, KEY)
    await storage.batch([put('a', bytes(1))])
    full = true
    await expect(storage.batch([put('b', bytes(2)), del('a')])).rejects.toThrow('full')
    full = false
    expect((await dump(storage)).map(([key]) => key)).toEqual(['a'])
    await Promise.all([storage.batch([put('c', bytes(3))]), storage.batch([put('c', bytes(4))])])
    expect([...(await storage.get('c'))!]).toEqual([4])
    expect((await dump(disk)).length).toBe(3)
  })

  it('a deleted entry and an older copy of one entry are reported as corrupt, at opening and while open', async () => {
    const corrupt = { code: 'STORAGE_CORRUPT', data: { what: 'sealed' } }
    const disk = memoryStorage()
    const storage = await encryptedStorage(disk, KEY)
    await storage.batch([put('a', bytes(1)), put('b', bytes(2))])
    const old = await dump(disk)
    await storage.batch([put('a', bytes(3))])
    await storage.batch([put('c', bytes(4))])
    const now = await dump(disk)
    const isIndex = ([name]: [string, Uint8Array]) => /^0+$/.test(name)
    const restore = async (entries: [string, Uint8Array][]): Promise<void> => {
      const gone = (await dump(disk)).map(([name]) => del(name))
      await disk.batch([...gone, ...entries.map(([name, value]) => put(name, value))])
    }
    for (const [name, value] of now) {
      await restore(now.filter(([other]) => other !== name))
      await expect(encryptedStorage(disk, KEY)).rejects.toMatchObject(corrupt)
      const before = old.find(([other]) => other === name)?.[1]
      if (before === undefined || Buffer.from(before).equals(value)) continue
      await restore(now.map((entry) => (entry[0] === name ? [name, before] : entry)))
      await expect(encryptedStorage(disk, KEY)).rejects.toMatchObject(corrupt)
      if (!isIndex([name, value])) await expect(storage.get('a')).rejects.toMatchObject(corrupt)
    }
    // The limit: an older copy of the whole disk is not noticed.
    await restore(old)
    expect([...(await (await encryptedStorage(disk, KEY)).get('a'))!]).toEqual([1])
    expect(now.filter(isIndex).length).toBe(1)
  })
})
