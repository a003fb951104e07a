import { join } from 'node:path'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { KINDS } from '../../../../src/central/store/level/keys.ts'
import { ALL_KEYS, openLevel } from '../../../../src/platform/level-handle.ts'
import { deposit, group, id, mark, row, syncId } from '../sample.ts'
import { EPOCH, storeOnDisk } from './store-on-disk.ts'

describe('retention in a level store', () => {
  const disk = storeOnDisk()

  it('after the period nothing of a person is left in any family of keys', async () => {
    const { store } = disk
    const user = await store.addUser(id('a'), 1, 100)
    await store.putCodes([{ hash: id('code'), issuedAt: 0, expiresAt: 900 * DAY_MS, state: 'open' }])
    const report = { id: 1, user, at: 100 * DAY_MS, from: EPOCH, until: EPOCH + 14 * 18, state: 'active' as const }
    await store.deposit(
      deposit(user, 1, [group(EPOCH, row(1))], {
        attempts: { day: 100, count: 1 },
        reports: [report],
        code: {
          hash: id('code'),
          issuedAt: 0,
          expiresAt: 900 * DAY_MS,
          state: 'spent',
          spent: { user, syncId: syncId(1), report: 1, day: 100 },
        },
      }),
    )
    const known = mark(EPOCH, 1)
    const list = { generation: 1, last: 1, entries: [{ ...known, sequence: 1 }] }
    await store.putMarks([{ user, changes: [{ report: 1, marks: [known] }], list }])
    await store.putProgress({ report: 1, computed: 'all' })
    await store.putPin({ epoch: EPOCH, roster: id('roster'), signature: new Uint8Array(64) })
    await store.putEnrolment(id('phone'), { bytes: new Uint8Array(40), until: 139 }, undefined)
    await store.acquireLease('gossip', 'one', 1, 1)
    await store.count({ name: 'codes', until: 139, add: 1, max: 1 })
    await store.putRecord('vote', new Uint8Array(4))
    const families = async () => {
      await disk.store.close()
      const handle = await openLevel(join(disk.dir, 'meta'))
      const letters = new Set<string>()
      for await (const chunk of handle.keys(ALL_KEYS))
        for (const key of chunk) letters.add(String.fromCharCode(key[0]!))
      await handle.close()
      await disk.open()
      return Object.entries(KINDS)
        .filter(([, letter]) => letters.has(letter))
        .map(([kind]) => kind)
    }
    // The test means something only when every family has an entry before.
    expect((await families()).sort()).toEqual(
      Object.keys(KINDS)
        // Slips go with their period of the spread.
        .filter((kind) => kind !== 'erasing' && kind !== 'floor' && !kind.startsWith('slip'))
        .sort(),
    )
    await disk.store.dropBefore(140)
    expect((await families()).sort()).toEqual(['code', 'counter', 'floor', 'lease', 'record'])
    const codes = []
    for await (const code of disk.store.codes()) codes.push(code)
    expect(codes).toEqual([{ hash: id('code'), issuedAt: 0, expiresAt: 900 * DAY_MS, state: 'spent' }])
  })

  it('more expired codes than one write holds are all deleted, and valid ones stay', async () => {
    const codes = Array.from({ length: 4_500 }, (_, n) => {
      const expiresAt = (n % 1_000 === 0 ? 102 : 101) * DAY_MS
      return { hash: id(`code ${n}`), issuedAt: 0, expiresAt, state: 'open' as const }
    })
    await disk.store.putCodes(codes)
    await disk.store.dropBefore(102)
    const left: number[] = []
    for await (const { expiresAt } of disk.store.codes()) left.push(expiresAt)
    expect(left).toEqual(new Array(5).fill(102 * DAY_MS))
  })
})
