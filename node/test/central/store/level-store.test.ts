import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { levelStore } from '../../../src/central/store/level-store.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { centralStoreConformance } from './conformance.ts'
import { deposit, group, hash, id, mark, row, syncId } from './sample.ts'
import { EPOCH, storeOnDisk } from './store-on-disk.ts'

centralStoreConformance('level', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
  return {
    open: () => levelStore({ dir, random: systemRandom, clock: systemClock() }),
    remove: () => rm(dir, { recursive: true }),
  }
})

describe('the files of a level store', () => {
  const disk = storeOnDisk()

  it('no file has a byte sequence of an erased user’s id, rows or syncs', async () => {
    const { store } = disk
    const user = await store.addUser(id('a'), 1, 100)
    const other = await store.addUser(id('b'), 1, 100)
    for (let i = 0; i < 30; i++) {
      for (const owner of [user, other]) {
        const items = Array.from({ length: 60 }, (_, n) => row(`${owner}/${i}/${n}`))
        await store.deposit(deposit(owner, i + 1000 * owner, [group(EPOCH + i, ...items)]))
      }
    }
    const known = mark(EPOCH, 'marked')
    const list = { generation: 1, last: 1, entries: [{ ...known, sequence: 1 }] }
    await store.putMarks([{ user, changes: [{ report: 1, marks: [known] }], list }])
    const traces = [
      id('a'),
      id('a').subarray(0, 16),
      hash('marked'),
      ...[0, 13, 29].flatMap((i) => [hash(`${user}/${i}/5`), syncId(i + 1000 * user)]),
    ]
    const found = async () => {
      const contents = await Promise.all((await disk.files('.')).map((path) => readFile(path)))
      return traces.map((trace) => contents.some((bytes) => bytes.includes(Buffer.from(trace))))
    }
    // The id is in no file even before the erasure, because keys have a keyed hash of it.
    expect((await found()).slice(0, 2)).toEqual([false, false])
    expect((await found()).slice(2)).not.toContain(false)
    await store.eraseUser(id('a'), 100)
    const left = await found()
    expect(left.slice(0, 3)).toEqual([false, false, false])
    // Values are gone. LevelDB may keep a key at the edge of a table, which is (epoch, number, sync id).
    expect(left.filter((_, i) => i > 2 && i % 2 === 1)).toEqual([false, false, false])
    expect(await store.userRows(EPOCH + 13, other)).toHaveLength(60)
  })
})
