import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { concatBytes, LAG_CURRENT, ROW_BYTES, rowsToBytes } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CentralStore } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { OpenRows, pairRoom } from '../../../../src/central/store/level/open-rows.ts'
import { memoryStore } from '../../../../src/central/store/memory-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { deposit, group, hashes, id, row } from '../sample.ts'
import { EPOCH } from './store-on-disk.ts'
import { TornDisk } from './torn-disk.ts'

const USERS = 4
const EPOCHS = 3
const NAMES = 12
const numbers = fc.uniqueArray(fc.nat(NAMES - 1), { minLength: 1, maxLength: 6 })
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('deposit' as const), user: fc.nat(USERS - 1), numbers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take back' as const), user: fc.nat(USERS - 1), numbers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), user: fc.nat(USERS - 1), numbers }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), user: fc.constant(0), numbers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), user: fc.constant(0), numbers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), user: fc.nat(USERS - 1), numbers }) },
)

describe('probes of a level store', () => {
  it('find the same rows as a store in memory, before and after each change, closing, failed write and opening', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 30 }), async (steps) => {
        const dir = await mkdtemp(join(tmpdir(), 'geotrace-probes-'))
        const disk = new TornDisk()
        // Each look at the clock is later than the pause after a failed opening.
        let nowMs = 0
        const clock = { ...systemClock(), now: () => (nowMs += 10_000) }
        const open = () => levelStore({ dir: join(dir, 'store'), random: systemRandom, clock, open: disk.open })
        let level = await open()
        const memory = memoryStore()
        try {
          for (const [sync, { kind, user, numbers }] of steps.entries()) {
            const epochs = Array.from({ length: EPOCHS }, (_, n) => EPOCH + n)
            const change = async (store: CentralStore): Promise<void> => {
              const number = await store.addUser(id(user), 1, 100)
              const some = numbers.map((n) => row(n, 1 + (n % 3)))
              const groups = epochs.slice(0, 1 + (sync % EPOCHS)).map((epoch) => group(epoch, ...some))
              const taken = [{ epoch: EPOCH + (sync % EPOCHS), hashes: hashes(...numbers) }]
              if (kind === 'deposit' || kind === 'fail') await store.deposit(deposit(number, sync, groups))
              if (kind === 'take back') await store.deposit(deposit(number, sync, [], { takenBack: taken }))
              if (kind === 'erase') await store.eraseUser(id(user), 100)
              if (kind === 'close') await store.closeEpoch(EPOCH + (sync % EPOCHS))
            }
            if (kind === 'reopen') {
              await level.close()
              level = await open()
            }
            if (kind === 'fail') {
              disk.failAt = disk.writes + 1 + (sync % 2)
              disk.failure = sync % 3 === 0 ? 'landed' : 'nothing'
              await change(level).catch(() => {})
              disk.failAt = Number.POSITIVE_INFINITY
            }
            await change(level)
            await change(memory)
            for (const epoch of epochs)
              for (const wanted of [hashes(...numbers), hashes(1, 2, 3)])
                expect(await probed(level, epoch, wanted)).toEqual(await probed(memory, epoch, wanted))
          }
        } finally {
          await level.close()
          await rm(dir, { recursive: true })
        }
      }),
      { numRuns: 25 },
    )
  })
})

/** The rows in hex by name of the user, because a failed write takes a number. */
async function probed(store: CentralStore, epoch: number, wanted: Uint8Array): Promise<string[]> {
  const names = new Map<number | undefined, number>()
  for (let user = 0; user < USERS; user++) names.set(await store.findUser(id(user)), user)
  const found: string[] = []
  for await (const { user, rows } of store.probe(epoch, wanted))
    found.push(`${names.get(user)} ${Buffer.from(rows).toString('hex')}`)
  return found.sort()
}

describe('a closing after a failed write', () => {
  it('counts no blob that is not there, so that an opening finds the rows of the next one', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-probes-'))
    const disk = new TornDisk()
    let nowMs = 0
    const clock = { ...systemClock(), now: () => (nowMs += 10_000) }
    const open = () => levelStore({ dir: join(dir, 'store'), random: systemRandom, clock, open: disk.open })
    let store = await open()
    const user = await store.addUser(id('a'), 1, 100)
    await store.deposit(deposit(user, 0, [group(EPOCH, row(0))]))
    disk.failAt = disk.writes + 1
    await expect(store.deposit(deposit(user, 1, [group(EPOCH, row(1))]))).rejects.toThrow()
    disk.failAt = Number.POSITIVE_INFINITY
    await store.closeEpoch(EPOCH)
    await store.deposit(deposit(user, 2, [group(EPOCH, row(2))]))
    await store.close()
    store = await open()
    for (const name of [0, 2]) {
      const found = []
      for await (const item of store.probe(EPOCH, hashes(name))) found.push(item.user)
      expect(found).toEqual([user])
    }
    await store.close()
    await rm(dir, { recursive: true })
  })
})

describe('rows that no run has yet', () => {
  const bytes = (...names: number[]) => concatBytes(...names.map((n) => rowsToBytes([row(n, LAG_CURRENT)])))
  const find = (open: OpenRows, ...names: number[]) => {
    const found = new Set<number>()
    open.find(hashes(...names), found)
    return [...found].sort((a, b) => a - b)
  }

  it('a look finds the blobs of its hashes, and a closing takes over those below its end', () => {
    const open = new OpenRows(pairRoom())
    open.add(3, bytes(1, 2))
    open.add(5, bytes(2))
    open.add(9, bytes(1))
    expect([find(open, 1), find(open, 2), find(open, 7)]).toEqual([[3, 9], [3, 5], []])
    const { numbers, pairs } = open.below(9)
    expect([numbers, pairs!.length]).toEqual([[3, 5], 3 * ROW_BYTES - 3])
    open.removeBelow(9)
    expect([find(open, 1, 2), open.below(100).numbers]).toEqual([[9], [9]])
  })

  it('without room, or after a failed write, a look names all blobs until a closing took them over', () => {
    const room = pairRoom(20_000)
    const [open, other] = [new OpenRows(room), new OpenRows(room)]
    open.add(1, bytes(1))
    other.add(2, bytes(1))
    expect([find(open, 2), find(other, 2)]).toEqual([[], [2]])
    open.forgetRows()
    open.add(3, bytes(2))
    expect([find(open, 2), open.below(4).pairs, room.left]).toEqual([[1, 3], undefined, 20_000])
    open.removeBelow(3)
    expect(find(open, 9)).toEqual([3])
    open.removeBelow(4)
    open.add(5, bytes(2))
    expect(find(open, 9)).toEqual([])
  })
})
