import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { erasedUsers } from '../../../src/central/store/erased-users.ts'

describe('the list of erased users', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-erased-'))
  })
  afterEach(() => rm(dir, { recursive: true }))
  const key = (n: number) => new Uint8Array(16).fill(n)
  const keysOf = async (list: ReturnType<typeof erasedUsers>) =>
    (await list.list()).map((line) => bytesToHex(line.key)).sort()

  it('the list loses no erasure that comes while retention removes older lines', async () => {
    const list = erasedUsers(join(dir, 'erased-users'))
    for (let day = 1; day <= 8; day++) {
      const fresh = Array.from({ length: 8 }, (_, i) => key(16 * day + i))
      await Promise.all(fresh.flatMap((item) => [list.note(item, day), list.dropBefore(day)]))
      expect(await keysOf(list)).toEqual(fresh.map(bytesToHex))
    }
  })

  it('a line that was cut off does not take the next erasure with it', async () => {
    const path = join(dir, 'erased-users')
    await erasedUsers(path).note(key(1), 5)
    await appendFile(path, '\n5 0202')
    await erasedUsers(path).note(key(3), 5)
    expect(await keysOf(erasedUsers(path))).toEqual([key(1), key(3)].map(bytesToHex))
  })
})
