import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStorage } from '../src/memory-storage.ts'
import { levelStorage } from '../src/node.ts'
import { put, type Storage } from '../src/storage.ts'
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
  'level',
  () => levelStorage(join(root, 'suite')),
  () => rm(join(root, 'suite'), { recursive: true, force: true }),
)

describe('level in Node', () => {
  it('keeps what it took over a restart, in a directory that only its owner can enter', async () => {
    const dir = join(root, 'kept')
    const first = await levelStorage(dir)
    await first.batch([put('a', Uint8Array.of(7))])
    await first.close()
    const second = await levelStorage(dir)
    expect([...(await second.get('a'))!]).toEqual([7])
    await second.close()
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
  })

  it('refuses a second owner', async () => {
    const dir = join(root, 'locked')
    const first = await levelStorage(dir)
    await expect(levelStorage(dir)).rejects.toMatchObject({ code: 'STORE_LOCKED', data: { dir } })
    await first.close()
  })
})
