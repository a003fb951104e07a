import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CentralStore, User } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { deposit, group, hash, hashes, id, row, rowsOf } from '../sample.ts'
import { CountedLevel } from './counted-level.ts'
import { EPOCH } from './store-on-disk.ts'

describe('the cost of deposits and erasures in a level store', () => {
  let dir: string
  let level: CountedLevel
  let store: CentralStore
  const open = async (): Promise<void> => {
    store = await levelStore({ dir, random: systemRandom, clock: systemClock(), open: level.open })
  }
  const manyRows = (name: string, count: number) => Array.from({ length: count }, (_, n) => row(`${name}/${n}`))
  const countRows = async () => (await store.statistics()).days.map(({ rows }) => rows)
  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'geotrace-deposits-')), 'store')
    level = new CountedLevel()
    await open()
  })
  afterEach(async () => {
    await store.close()
    await rm(join(dir, '..'), { recursive: true })
  })

  it('a hundred deposits of the same rows grow the store by their acknowledgements, and cost as much as the second', async () => {
    const user = await store.addUser(id('a'), 1, 100)
    const groups = [0, 1, 2].map((n) => group(EPOCH + n, ...manyRows(`${n}`, 480)))
    await store.deposit(deposit(user, 0, groups))
    const [rows, { bytes }] = [await countRows(), await store.statistics()]
    const reads: number[] = []
    for (let sync = 1; sync <= 100; sync++)
      reads.push(await level.during(() => store.deposit(deposit(user, sync, groups))))
    expect(await countRows()).toEqual(rows)
    // A group alone has 6 KB.
    expect((await store.statistics()).bytes - bytes).toBeLessThan(100 * 200)
    expect(new Set(reads).size).toBe(1)
  })

  it('a user whose rows come one by one is read in a few parts, and no row is lost or counted twice', async () => {
    const user = await store.addUser(id('a'), 1, 100)
    const worst = { userRows: 0, deposit: 0 }
    for (let n = 0; n < 100; n++) {
      // Each hash twice: first with one lag, then with the other.
      const item = row(`${n >> 1}`, 1 + (n & 1))
      const reads = await level.during(() => store.deposit(deposit(user, n, [group(EPOCH, item)])))
      worst.deposit = Math.max(worst.deposit, reads)
      worst.userRows = Math.max(worst.userRows, await level.during(() => rowsOf(store, EPOCH, user)))
    }
    expect(worst.userRows).toBeLessThanOrEqual(8)
    expect(worst.deposit).toBeLessThan(40)
    for (let i = 0; i < 2; i++) {
      expect((await rowsOf(store, EPOCH, user)).map(({ lags }) => lags)).toEqual(Array(50).fill(3))
      expect(await countRows()).toEqual([50])
      await store.close()
      await open()
    }
  })

  it('the erasure of a user costs the same beside ten users and beside two hundred', async () => {
    const costs: number[] = []
    let others = 0
    for (const target of [10, 200]) {
      for (; others < target; others++) {
        const other = await store.addUser(id(`other ${others}`), 1, 100)
        await store.deposit(deposit(other, others, [group(EPOCH, ...manyRows(`${others}`, 40))]))
      }
      const user = await store.addUser(id('a'), 1, 100)
      await store.deposit(deposit(user, 1, [group(EPOCH, row('a')), group(EPOCH + 1, row('b'))]))
      costs.push(await level.during(() => store.eraseUser(id('a'), 100)))
    }
    expect(costs[1]).toBe(costs[0])
  })

  it('an erasure while another user deposits loses no count', async () => {
    const [gone, other] = [await store.addUser(id('a'), 1, 100), await store.addUser(id('b'), 1, 100)]
    for (let n = 0; n < 40; n++) await store.deposit(deposit(gone, n, [group(EPOCH + (n % 18), row(`gone ${n}`))]))
    let isErasing = true
    let made = 0
    const depositor = async (user: User) => {
      for (; isErasing; made++)
        await store.deposit(deposit(user, made, [group(EPOCH + (made % 18), row(`kept ${made}`))]))
    }
    const during = depositor(other)
    await store.eraseUser(id('a'), 100)
    isErasing = false
    await during
    expect(made).toBeGreaterThan(5)
    for (let i = 0; i < 2; i++) {
      expect(await countRows()).toEqual([made])
      await store.close()
      await open()
    }
  })

  it('rows that are taken back leave together with the deposit that says so', async () => {
    const user = await store.addUser(id('a'), 1, 100)
    await store.deposit(deposit(user, 1, [group(EPOCH, row(1), row(2))]))
    const takenBack = [{ epoch: EPOCH, hashes: hashes(1) }]
    await store.deposit(deposit(user, 2, [group(EPOCH, row(3))], { takenBack }))
    expect(await countRows()).toEqual([2])
    expect((await rowsOf(store, EPOCH, user)).map(({ hash: own }) => [...own])).toEqual(
      [hash(2), hash(3)].map((own) => [...own]).sort((a, b) => a[0]! - b[0]!),
    )
  })
})
