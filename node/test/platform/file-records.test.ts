import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { fileRecords } from '../../src/platform/file-records.ts'
import { errorCode } from '../error-code.ts'
import { Stage } from '../salt/federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

describe('file records', () => {
  it('a record comes back as it was written last, and only its owner may read the files', async () => {
    const dir = join(await stage.dir(), 'records')
    const records = await fileRecords(dir)
    expect(await records.get('a')).toBeUndefined()
    await Promise.all([1, 2, 3].map((byte) => records.put('a', Uint8Array.of(byte))))
    expect(await (await fileRecords(dir)).get('a')).toEqual(Uint8Array.of(3))
    expect((await stat(join(dir, 'a'))).mode & 0o777).toBe(0o600)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
  })

  it('ten concurrent updates of one record all take effect', async () => {
    const records = await fileRecords(join(await stage.dir(), 'records'))
    const add = (byte: number) => records.update('list', (list) => Uint8Array.from([...(list ?? []), byte]))
    await Promise.all(Array.from({ length: 10 }, (_, i) => add(i)))
    expect(await records.get('list')).toHaveLength(10)
  })

  it('a record with one changed bit, or a shortened record, is refused with STORAGE_CORRUPT', async () => {
    const dir = join(await stage.dir(), 'records')
    const records = await fileRecords(dir)
    await records.put('a', Uint8Array.of(3))
    const bytes = await readFile(join(dir, 'a'))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      await writeFile(join(dir, 'a'), changed)
      expect(await errorCode(records.get('a'))).toBe('STORAGE_CORRUPT')
    }
    await writeFile(join(dir, 'a'), bytes.subarray(0, 2))
    expect(await errorCode(records.get('a'))).toBe('STORAGE_CORRUPT')
  })
})
