/** The device's storages on a disk that is full for a while. Argument: `dir`. Prints one result for each. */
import { join } from 'node:path'
import { liveOnFullDisk } from '../../../scripts/small-disk.js'
import { levelStorage } from '../../src/node.ts'
import { encryptedStorage } from '../../src/storage/encrypted-storage.ts'
import { put, type Storage } from '../../src/storage/storage.ts'

const dir = process.argv[2]!

const storages = {
  level: () => levelStorage(join(dir, 'level')),
  encrypted: async () => encryptedStorage(await levelStorage(join(dir, 'encrypted')), new Uint8Array(32).fill(7)),
}

function toSubject(storage: Storage) {
  return {
    write: (n: number) => storage.batch([put(`n/${n}`, new Uint8Array(3_000).fill(n))]),
    has: async (n: number) => (await storage.get(`n/${n}`))?.[0] === (n & 0xff),
    close: () => storage.close(),
  }
}

const results: Record<string, unknown> = {}
for (const [name, open] of Object.entries(storages)) {
  results[name] = await liveOnFullDisk({
    dir,
    open: async () => toSubject(await open()),
    count: 100,
    leftBytes: 60_000,
  })
}
process.stdout.write(JSON.stringify(results))
process.exit(0)
