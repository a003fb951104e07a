/** The tests that every CentralStore must pass (store/central-store.ts). An implementation calls them with a factory. */
import {
  bytesToHex,
  bytesToRows,
  concatBytes,
  EPOCHS_PER_DAY,
  type Pin,
  type Row,
  rowsToBytes,
} from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CentralStore, CodeRecord, ReportRecord, UserRows } from '../../../src/central/store/central-store.ts'
import { hashToKey, mergeRows } from '../../../src/central/store/row-set.ts'
import { deposit, group, hash, hashes, id, mark, row, rows, rowsOf, syncId } from './sample.ts'

/** A place for one store: an `open` after a `close` finds the same data. */
export interface StorePlace {
  open(): Promise<CentralStore>
  remove(): Promise<void>
}

const EPOCH = 100 * EPOCHS_PER_DAY
const report = (id: number, more: Partial<ReportRecord> = {}): ReportRecord => {
  return { id, user: 1, at: 5, from: EPOCH, until: EPOCH + 9, state: 'active', ...more }
}
const code = (n: number, more: Partial<CodeRecord> = {}): CodeRecord => {
  return { hash: id(`code ${n}`), issuedAt: 0, expiresAt: 101 * 86_400_000, state: 'open', ...more }
}
const pin = (epoch: number): Pin => ({ epoch, roster: id(epoch), signature: new Uint8Array(64).fill(epoch) })
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
/** Two open stores on one place: each decision falls once, whichever of them takes it. */
async function twoOpeners(a: CentralStore, b: CentralStore): Promise<void> {
  const both = [a, b]
  const users = await Promise.all(both.map((store) => store.addUser(id('a'), 1, 100)))
  expect(new Set(users).size).toBe(1)
  const others = await Promise.all(both.map((store, n) => store.addUser(id(`opener ${n}`), 1, 100)))
  expect(new Set(others).size).toBe(2)
  await a.putCodes([code(1)])
  const outcomes = await Promise.all(
    both.map((store, n) => {
      const spent = { user: others[n]!, syncId: syncId(n), report: n, day: 100 }
      return store.deposit(deposit(others[n]!, n, [], { code: code(1, { state: 'spent', spent }) }))
    }),
  )
  expect([...outcomes].sort()).toEqual(['outdated', 'stored'])
  const pins = await Promise.all(both.map((store, n) => store.putPin({ ...pin(7), roster: id(n) })))
  expect(pins[0]).toEqual(pins[1])
  const same = await Promise.all(both.map((store) => store.deposit(deposit(users[0]!, 9, [group(EPOCH, row(1))]))))
  expect([...same].sort()).toEqual(['duplicate', 'stored'])
  await Promise.all(both.map((store) => store.closeEpoch(EPOCH)))
  for (const store of both)
    expect((await collect(store.probe(EPOCH, hash(1)))).map(({ user }) => user)).toEqual([users[0]])
  expect(new Set(await Promise.all(both.map((store) => store.nextReport()))).size).toBe(2)
  const leases = await Promise.all(both.map((store, n) => store.acquireLease('one', `holder ${n}`, 1, 9)))
  expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1)
  const counts = await Promise.all([a, b, a, b].map((store) => store.count({ name: 'n', until: 100, add: 1, max: 3 })))
  expect([...counts].sort()).toEqual([1, 2, 3, undefined])
  const attempts = { day: 100, count: 1 }
  const tries = await Promise.all(both.map((store, n) => store.deposit(deposit(others[0]!, 20 + n, [], { attempts }))))
  expect([...tries].sort()).toEqual(['outdated', 'stored'])
}

const shown = (items: readonly Row[]) => items.map(({ hash, size, lags }) => [bytesToHex(hash), size, lags])

/** `runs`: random worlds of deposits. */
export function centralStoreConformance(
  name: string,
  create: () => Promise<StorePlace>,
  { runs = 25 }: { runs?: number } = {},
): void {
  describe(`${name} as a central store`, () => {
    let place: StorePlace
    let store: CentralStore
    beforeEach(async () => {
      place = await create()
      store = await place.open()
    })
    afterEach(async () => {
      await store.close()
      await place.remove()
    })
    const reopen = async () => {
      await store.close()
      store = await place.open()
    }
    const probe = async (epoch: number, ...wanted: (number | string)[]): Promise<UserRows[]> =>
      collect(store.probe(epoch, hashes(...wanted)))

    it('a central store gives each id one number and never uses a number again', async () => {
      const [a, b] = await Promise.all([store.addUser(id('a'), 7, 100), store.addUser(id('b'), 8, 100)])
      expect(a).not.toBe(b)
      expect(await store.addUser(id('a'), 9, 100)).toBe(a)
      expect(await store.findUser(id('b'))).toBe(b)
      expect(await store.findUser(id('c'))).toBeUndefined()
      expect(await store.marks(a)).toEqual({ generation: 7, last: 0, entries: [] })
      expect(await store.eraseUser(id('b'), 100)).toBe(true)
      await reopen()
      expect(await store.findUser(id('a'))).toBe(a)
      const again = await store.addUser(id('b'), 1, 100)
      expect([a, b]).not.toContain(again)
    })

    it('a central store creates one user for an id that arrives many times at once', async () => {
      const made = await Promise.all(Array.from({ length: 8 }, () => store.addUser(id('a'), 1, 100)))
      expect(new Set(made).size).toBe(1)
      expect((await store.statistics()).users).toBe(1)
    })

    it('a central store keeps rows as a set by user, epoch and hash, and merges lags', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      await store.deposit(deposit(a, 1, [group(EPOCH, row(1, 1), row(2, 2)), group(EPOCH + 1, row(1, 2))]))
      await store.deposit(deposit(a, 2, [group(EPOCH, row(2, 1), row(3, 2))]))
      expect(shown(await rowsOf(store, EPOCH, a))).toEqual(shown(rows(row(1, 1), row(2, 3), row(3, 2))))
      expect(shown(await rowsOf(store, EPOCH + 1, a))).toEqual(shown([row(1, 2)]))
      expect(await rowsOf(store, EPOCH + 2, a)).toEqual([])
      expect(await rowsOf(store, EPOCH, a + 1)).toEqual([])
      await reopen()
      expect(shown(await rowsOf(store, EPOCH, a))).toEqual(shown(rows(row(1, 1), row(2, 3), row(3, 2))))
    })

    it('a probe finds each user with a wanted hash once, with merged lags, and no other user', async () => {
      const users = await Promise.all(['a', 'b', 'c'].map((name) => store.addUser(id(name), 1, 100)))
      const [a, b, c] = users.sort((x, y) => x - y) as [number, number, number]
      await store.deposit(deposit(b, 1, [group(EPOCH, row(1, 1), row(2, 1))]))
      await store.deposit(deposit(b, 2, [group(EPOCH, row(1, 2), row(5, 2))]))
      await store.deposit(deposit(a, 3, [group(EPOCH, row(2, 2, 80))]))
      await store.deposit(deposit(c, 4, [group(EPOCH, row(9, 1)), group(EPOCH + 1, row(1, 1))]))
      const found = (await probe(EPOCH, 1, 2, 7)).map(({ user, rows }) => [user, shown(bytesToRows(rows))])
      expect(found).toEqual([
        [a, shown([row(2, 2, 80)])],
        [b, shown(rows(row(1, 3), row(2, 1)))],
      ])
      expect(await probe(EPOCH + 5, 1)).toEqual([])
      const epochs = await store.epochs()
      expect(epochs).toEqual(expect.arrayContaining([EPOCH, EPOCH + 1]))
      expect([...epochs].sort((x, y) => x - y)).toEqual(epochs)
    })

    it('rows that a user takes back are gone after a restart too, and those of other users, epochs and hashes stay', async () => {
      const [a, b] = [await store.addUser(id('a'), 1, 100), await store.addUser(id('b'), 1, 100)]
      const both = [group(EPOCH, row(1, 1), row(2, 3)), group(EPOCH + 1, row(1, 1))]
      await store.deposit(deposit(a, 1, both))
      await store.deposit(deposit(a, 2, [group(EPOCH, row(2, 1), row(3, 2))]))
      await store.deposit(deposit(b, 1, both))
      const items = [
        { epoch: EPOCH, hashes: hashes(2, 3, 9) },
        { epoch: EPOCH + 400, hashes: hashes(1) },
      ]
      const countRows = async () => (await store.statistics()).days.reduce((sum, { rows: count }) => sum + count, 0)
      const before = await countRows()
      const after: number[] = []
      for (let i = 0; i < 2; i++) {
        await store.deposit(deposit(a, 10 + i, [], { takenBack: items }))
        expect(shown(await rowsOf(store, EPOCH, a))).toEqual(shown([row(1, 1)]))
        expect(shown(await rowsOf(store, EPOCH + 1, a))).toEqual(shown([row(1, 1)]))
        expect(shown(await rowsOf(store, EPOCH, b))).toEqual(shown(rows(row(1, 1), row(2, 3))))
        expect((await probe(EPOCH, 2, 3)).map(({ user }) => user)).toEqual([b])
        after.push(await countRows())
        await reopen()
      }
      expect(after[0]).toBeLessThan(before)
      expect(after[1]).toBe(after[0])
      await store.deposit(deposit(a, 3, [group(EPOCH, row(2, 1))]))
      expect(shown(await rowsOf(store, EPOCH, a))).toEqual(shown(rows(row(1, 1), row(2, 1))))
    })

    it('userRows and probe give the same rows as a plain list, for any deposits in any pieces and any closings', async () => {
      let run = 0
      let probed = 0
      const anyRow = fc.record({
        n: fc.nat(30),
        lags: fc.integer({ min: 1, max: 3 }),
        size: fc.constantFrom(5, 20, 80),
      })
      const anySync = fc.record({
        user: fc.nat(4),
        epoch: fc.nat(2),
        rows: fc.uniqueArray(anyRow, { selector: (r) => r.n, minLength: 1 }),
        isTakenBack: fc.boolean(),
        isClosed: fc.nat(3).map((n) => n === 0),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(anySync, { maxLength: 12 }), fc.uniqueArray(fc.nat(30)), async (syncs, wanted) => {
          run++
          const base = EPOCH + run * 3
          const plain = new Map<string, Row[]>()
          const users = await Promise.all([0, 1, 2, 3, 4].map((n) => store.addUser(id(n), 1, 100)))
          for (const [i, sync] of syncs.entries()) {
            const items = sync.rows.map((r) => row(r.n, r.lags, r.size))
            const user = users[sync.user]!
            const [key, epoch] = [`${base + sync.epoch}/${user}`, base + sync.epoch]
            const known = plain.get(key) ?? []
            if (sync.isTakenBack) {
              const takenBack = [{ epoch, hashes: hashes(...sync.rows.map((r) => r.n)) }]
              await store.deposit(deposit(user, run * 100 + i, [], { takenBack }))
              const gone = sync.rows.map((r) => hashToKey(hash(r.n)))
              plain.set(
                key,
                known.filter((item) => !gone.includes(hashToKey(item.hash))),
              )
            } else {
              await store.deposit(deposit(user, run * 100 + i, [group(epoch, ...items)]))
              plain.set(key, bytesToRows(mergeRows(rowsToBytes(known), rowsToBytes(rows(...items)))))
            }
            if (sync.isClosed) await store.closeEpoch(epoch)
          }
          const keys = new Set(wanted.map((n) => hashToKey(hash(n))))
          for (const epoch of [0, 1, 2]) {
            for (const user of users) {
              expect(shown(await rowsOf(store, base + epoch, user))).toEqual(
                shown(plain.get(`${base + epoch}/${user}`) ?? []),
              )
            }
            const expected = [...users]
              .sort((x, y) => x - y)
              .map(
                (user) =>
                  [
                    user,
                    shown((plain.get(`${base + epoch}/${user}`) ?? []).filter((r) => keys.has(hashToKey(r.hash)))),
                  ] as const,
              )
              .filter(([, found]) => found.length > 0)
            const found = await collect(store.probe(base + epoch, hashes(...wanted)))
            expect(found.map((item) => [item.user, shown(bytesToRows(item.rows))])).toEqual(expected)
            probed += found.length
          }
        }),
        { numRuns: runs },
      )
      expect(probed).toBeGreaterThan((runs * 10) / 25)
    })

    it('a closed epoch answers as before, also after later rows, rows taken back, an erasure and a restart', async () => {
      const users: number[] = []
      for (let n = 0; n < 20; n++) {
        users.push(await store.addUser(id(n), 1, 100))
        const own = Array.from({ length: 30 }, (_, i) => row(`${n}/${i}`))
        await store.deposit(deposit(users[n]!, n, [group(EPOCH, ...own, row('crowd'))]))
      }
      const found = async (...wanted: string[]) =>
        (await probe(EPOCH, ...wanted))
          .map((item) => [users.indexOf(item.user), bytesToRows(item.rows).length] as const)
          // Users get their numbers in any order.
          .sort(([a], [b]) => a - b)
      const all = users.map((_, n) => [n, 1])
      for (let i = 0; i < 3; i++) {
        expect(await found('5/7', '9/3', '9/4', 'nobody')).toEqual([
          [5, 1],
          [9, 2],
        ])
        expect(await found('crowd')).toEqual(all)
        await store.closeEpoch(EPOCH)
        if (i === 1) await reopen()
      }
      await store.deposit(deposit(users[5]!, 100, [group(EPOCH, row('late'), row('9/3', 2))]))
      await store.deposit(
        deposit(users[9]!, 101, [], { takenBack: [{ epoch: EPOCH, hashes: hashes('9/3', 'crowd') }] }),
      )
      await store.eraseUser(id(7), 100)
      for (let i = 0; i < 3; i++) {
        expect(await found('late', '9/3', '9/4', '7/1')).toEqual([
          [5, 2],
          [9, 1],
        ])
        expect(await found('crowd')).toEqual(all.filter(([n]) => n !== 7 && n !== 9))
        if (i === 1) await store.closeEpoch(EPOCH)
        await reopen()
      }
    })

    it('a sync is acknowledged once, and its repetition finds the kept acknowledgement', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      const first = deposit(a, 1, [group(EPOCH, row(1), row(2))], { basis: Uint8Array.of(4, 2) })
      expect(await store.findSync(a, syncId(1))).toBeUndefined()
      expect(await store.deposit(first)).toBe('stored')
      const counted = await store.statistics()
      expect(await store.deposit(first)).toBe('duplicate')
      await reopen()
      expect(await store.deposit(first)).toBe('duplicate')
      expect(await store.statistics()).toEqual(counted)
      expect(counted.days).toEqual([{ day: 100, rows: 2 }])
      const kept = await store.findSync(a, syncId(1))
      expect([kept!.digest, kept!.basis]).toEqual([first.digest, Uint8Array.of(4, 2)])
    })

    it('another content under a known sync id is SYNC_CONFLICT, and another user may use the same sync id', async () => {
      const [a, b] = await Promise.all([store.addUser(id('a'), 1, 100), store.addUser(id('b'), 1, 100)])
      await store.deposit(deposit(a, 1, [group(EPOCH, row(1))]))
      await expect(store.deposit(deposit(a, 1, [group(EPOCH, row(2))]))).rejects.toMatchObject({
        code: 'SYNC_CONFLICT',
      })
      expect(await store.deposit(deposit(b, 1, [group(EPOCH, row(2))]))).toBe('stored')
      expect(shown(await rowsOf(store, EPOCH, a))).toEqual(shown([row(1)]))
    })

    it('a user makes as many deposits a day as allowed, and a refused deposit changes nothing', async () => {
      const [a, b] = [await store.addUser(id('a'), 1, 100), await store.addUser(id('b'), 1, 100)]
      const make = (user: number, n: number, day = 100) =>
        store.deposit(
          deposit(user, n, [group(EPOCH + n, row(n))], {
            perDay: 2,
            day,
            attempts: { day, count: (n % 2) + 1 },
            takenBack: [{ epoch: EPOCH + 1, hashes: n > 1 ? hashes(1) : hashes() }],
          }),
        )
      expect([await make(a, 0), await make(a, 1), await make(a, 1)]).toEqual(['stored', 'stored', 'duplicate'])
      await reopen()
      const before = await store.statistics()
      expect([await make(a, 2), await make(b, 0)]).toEqual(['too-many', 'stored'])
      expect(await rowsOf(store, EPOCH + 1, a)).toHaveLength(1)
      expect(await rowsOf(store, EPOCH + 2, a)).toEqual([])
      expect(await store.findSync(a, syncId(2))).toBeUndefined()
      expect(await store.attempts(a)).toEqual({ day: 100, count: 2 })
      expect((await store.statistics()).days[0]!.rows).toBe(before.days[0]!.rows + 1)
      // A clock that goes back gives no further deposits.
      expect([await make(a, 3, 99), await make(a, 4, 101), await make(a, 5, 101)]).toEqual([
        'too-many',
        'stored',
        'stored',
      ])
    })

    it('a sync that arrives many times at once counts once', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () =>
          store.deposit(deposit(a, 1, [group(EPOCH, row(1)), group(EPOCH + 30, row(2))])),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1)
      expect((await store.statistics()).days.map(({ rows }) => rows)).toEqual([1, 1])
    })

    it('a deposit stores its spent code, its attempts and its report together', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      await store.putCodes([code(1), code(2, { from: 9 })])
      const number = await store.nextReport()
      const spent = code(1, { state: 'spent', spent: { user: a, syncId: syncId(1), report: number, day: 100 } })
      const kept = report(number, { user: a })
      await store.deposit(deposit(a, 1, [], { attempts: { day: 100, count: 1 }, reports: [kept], code: spent }))
      await reopen()
      expect(await store.attempts(a)).toEqual({ day: 100, count: 1 })
      expect(await store.reports()).toEqual([kept])
      expect(await store.findCode(id('code 1'))).toEqual(spent)
      expect(await store.findCode(id('code 2'))).toEqual(code(2, { from: 9 }))
      expect(await store.findCode(id('code 3'))).toBeUndefined()
      expect(await collect(store.codes())).toHaveLength(2)
      expect(await store.nextReport()).toBeGreaterThan(number)
      await store.putReport({ ...kept, state: 'retracted' })
      expect((await store.reports())[0]!.state).toBe('retracted')
    })

    it('a central store keeps marks by user and report together with the user’s list', async () => {
      const [a, b] = await Promise.all([store.addUser(id('a'), 1, 100), store.addUser(id('b'), 1, 100)])
      const list = { generation: 2, last: 1, entries: [{ ...mark(EPOCH, 1), sequence: 1 }] }
      await store.putMarks([
        {
          user: a,
          changes: [
            { report: 2, marks: [mark(EPOCH, 1)] },
            { report: 1, marks: [mark(EPOCH, 2, 2, 9, 1)] },
          ],
          list,
        },
        { user: b, changes: [{ report: 2, marks: [mark(EPOCH, 3)] }], list },
        { user: 999, changes: [{ report: 2, marks: [mark(EPOCH, 3)] }], list },
      ])
      await reopen()
      expect(await store.userMarks(a)).toEqual([
        { report: 1, marks: [mark(EPOCH, 2, 2, 9, 1)] },
        { report: 2, marks: [mark(EPOCH, 1)] },
      ])
      expect(await store.userMarks(a, 2)).toEqual([{ report: 2, marks: [mark(EPOCH, 1)] }])
      expect(await store.userMarks(a, 3)).toEqual([])
      expect(await store.marks(a)).toEqual(list)
      expect(await store.markedUsers(2)).toEqual([a, b].sort((x, y) => x - y))
      expect(await store.marks(999)).toBeUndefined()
      await store.putMarks([
        { user: a, changes: [{ report: 2, marks: [] }], list: { generation: 3, last: 0, entries: [] } },
      ])
      expect(await store.markedUsers(2)).toEqual([b])
      expect(await store.userMarks(a)).toHaveLength(1)
    })

    it('a code that many users present at once is spent by one of them, and the others store nothing', async () => {
      const users = await Promise.all(Array.from({ length: 6 }, (_, n) => store.addUser(id(n), 1, 100)))
      await store.putCodes([code(1), code(2, { state: 'revoked' })])
      const spend = (user: number, n: number) => {
        const spent = { user, syncId: syncId(user), report: user, day: 100 }
        const records = { reports: [report(user, { user })], code: code(n, { state: 'spent', spent }) }
        return store.deposit(deposit(user, user, [group(EPOCH, row(user))], records))
      }
      const outcomes = await Promise.all(users.map((user) => spend(user, 1)))
      const winner = outcomes.indexOf('stored')
      expect([...outcomes].sort()).toEqual([...Array(5).fill('outdated'), 'stored'])
      expect(await store.closeCode(code(1, { state: 'revoked' }))).toBe(false)
      expect(await spend(users[(winner + 1) % users.length]!, 2)).toBe('outdated')
      expect(await spend(users[(winner + 1) % users.length]!, 3)).toBe('outdated')
      expect(await spend(users[winner]!, 1)).toBe('duplicate')
      await reopen()
      expect(await store.findCode(id('code 1'))).toMatchObject({ state: 'spent', spent: { user: users[winner] } })
      expect((await store.reports()).map((item) => item.user)).toEqual([users[winner]])
      for (const user of users) {
        const isWinner = user === users[winner]
        expect(await rowsOf(store, EPOCH, user)).toHaveLength(isWinner ? 1 : 0)
        expect((await store.findSync(user, syncId(user))) !== undefined).toBe(isWinner)
      }
    })

    it('an open code is closed once, and an unknown one never', async () => {
      await store.putCodes([code(1)])
      const close = () => store.closeCode(code(1, { state: 'revoked' }))
      expect((await Promise.all([close(), close(), close()])).filter(Boolean)).toHaveLength(1)
      expect(await store.closeCode(code(9, { state: 'revoked' }))).toBe(false)
      await reopen()
      expect((await store.findCode(id('code 1')))!.state).toBe('revoked')
      expect(await store.findCode(id('code 9'))).toBeUndefined()
    })

    it('the first pin of an epoch stays, however many arrive at once, and each caller gets it', async () => {
      const offered = [1, 2, 3].map((n) => ({ ...pin(7), roster: id(n) }))
      const kept = await Promise.all(offered.map((item) => store.putPin(item)))
      const [stored] = await store.pins()
      expect(offered).toContainEqual(stored)
      expect(kept).toEqual([stored, stored, stored])
      await reopen()
      expect(await store.putPin(pin(7))).toEqual(stored)
      expect(await store.pins()).toEqual([stored])
    })

    describe('the slips of the spread', () => {
      const slip = (report: number, n: number) => ({ report, bytes: new Uint8Array(104).fill(n) })
      let syncs = 0
      const put = async (user: number, period: number, item: ReturnType<typeof slip>) =>
        await store.deposit(deposit(user, ++syncs, [], { reports: [report(item.report)], slip: { period, ...item } }))
      const shown = async (period: number) =>
        (await store.takeSlips(period)).map(({ report, bytes }) => [report, bytes[0]])

      it('a period has one slip of each report, in the order of their bytes, until it is dropped', async () => {
        const users = await Promise.all([0, 1, 2].map((n) => store.addUser(id(n), 1, 100)))
        const items = [slip(1, 9), slip(2, 5), slip(3, 7), slip(1, 6)]
        for (const item of items) await put(users[item.report - 1]!, 8, item)
        await put(users[1]!, 9, slip(4, 1))
        await reopen()
        expect(await store.slipPeriods()).toEqual([8, 9])
        expect(await store.takeSlips(8)).toEqual([slip(2, 5), slip(1, 6), slip(3, 7)])
        await store.dropPeriod(8)
        await store.dropPeriod(8)
        await reopen()
        expect(await store.slipPeriods()).toEqual([9])
        expect(await store.takeSlips(8)).toEqual([])
        expect(await store.takeSlips(9)).toEqual([slip(4, 1)])
      })

      it('a deposit that is not stored leaves no slip, and a repeated one changes none', async () => {
        const user = await store.addUser(id('a'), 1, 100)
        await store.putCodes([code(1)])
        const spent = code(1, { state: 'spent' })
        const first = deposit(user, 1, [], { code: spent, reports: [report(1)], slip: { period: 8, ...slip(1, 3) } })
        expect(await store.deposit(first)).toBe('stored')
        expect(await store.deposit({ ...first, slip: { period: 8, ...slip(1, 4) } })).toBe('duplicate')
        const late = deposit(user, 2, [], { code: spent, reports: [report(2)], slip: { period: 8, ...slip(2, 5) } })
        expect(await store.deposit(late)).toBe('outdated')
        expect(await shown(8)).toEqual([[1, 3]])
      })

      it('a withdrawal and an erasure delete the slips of one user in all periods, and no other', async () => {
        const users = await Promise.all(['a', 'b', 'c'].map((name) => store.addUser(id(name), 1, 100)))
        for (const [i, user] of users.entries())
          for (const period of [8, 9]) await put(user, period, slip(10 * period + i, 1 + i))
        await store.deposit(
          deposit(users[0]!, 90, [], { reports: [report(80, { state: 'retracted' })], isWithdrawal: true }),
        )
        await reopen()
        expect(await shown(8)).toEqual([
          [81, 2],
          [82, 3],
        ])
        await store.eraseUser(id('b'), 100)
        await reopen()
        expect([await shown(8), await shown(9)]).toEqual([[[82, 3]], [[92, 3]]])
        await store.eraseUser(id('c'), 100)
        expect(await store.slipPeriods()).toEqual([])
      })

      it('the batch of a period is decided once, and neither a withdrawal nor an erasure changes it', async () => {
        const users = await Promise.all(['a', 'b', 'c'].map((name) => store.addUser(id(name), 1, 100)))
        for (const [i, user] of users.entries()) await put(user, 8, slip(i, 9 - i))
        expect(await store.batchOf(8)).toBeUndefined()
        // The report 77 has no slip any more.
        const batch = await store.closePeriod(8, [0, 2, 77])
        expect(batch).toEqual(concatBytes(slip(2, 7).bytes, slip(0, 9).bytes))
        expect(await store.takeSlips(8)).toEqual([])
        await store.eraseUser(id('a'), 100)
        await store.deposit(deposit(users[2]!, 91, [], { reports: [], isWithdrawal: true }))
        await reopen()
        expect(await store.closePeriod(8, [1])).toEqual(batch)
        expect(await store.batchOf(8)).toEqual(batch)
        expect(await store.slipPeriods()).toEqual([8])
        await store.dropPeriod(8)
        expect(await store.batchOf(8)).toBeUndefined()
        expect(await store.slipPeriods()).toEqual([])
      })
    })

    it('a record of an enrolment is replaced only by a caller that knows it, and goes after its last day', async () => {
      const enrolment = (n: number, until = 200) => ({ bytes: new Uint8Array(40).fill(n), until })
      const name = id('phone')
      expect(await store.findEnrolment(name)).toBeUndefined()
      expect(await store.putEnrolment(name, enrolment(1), enrolment(9).bytes)).toBe(false)
      expect(await store.putEnrolment(name, enrolment(1), undefined)).toBe(true)
      expect(await store.putEnrolment(name, enrolment(2), undefined)).toBe(false)
      expect(await store.putEnrolment(name, enrolment(2), enrolment(1).bytes)).toBe(true)
      await store.putEnrolment(id('other'), enrolment(3, 99), undefined)
      await reopen()
      const raced = await Promise.all([4, 5].map((n) => store.putEnrolment(name, enrolment(n), enrolment(2).bytes)))
      expect([...raced].sort()).toEqual([false, true])
      expect(await store.findEnrolment(name)).toEqual(enrolment(raced[0] ? 4 : 5))
      await store.dropBefore(99)
      expect(await store.findEnrolment(id('other'))).toEqual(enrolment(3, 99))
      await store.dropBefore(100)
      await reopen()
      expect(await store.findEnrolment(id('other'))).toBeUndefined()
      expect(await store.findEnrolment(name)).toBeDefined()
    })

    it('pins come back ascending by epoch', async () => {
      const pins = [40, 4, 22].map(pin)
      for (const item of pins) await store.putPin(item)
      await reopen()
      expect(await store.pins()).toEqual(pins.sort((x, y) => x.epoch - y.epoch))
    })

    it('an erasure deletes all data of one user and no data of another', async () => {
      const [a, b] = await Promise.all([store.addUser(id('a'), 1, 100), store.addUser(id('b'), 1, 100)])
      for (const user of [a, b]) {
        await store.deposit(
          deposit(user, 1, [group(EPOCH, row(1), row(`of ${user}`)), group(EPOCH + 40, row(2))], {
            attempts: { day: 1, count: 1 },
          }),
        )
        const list = { generation: 1, last: 1, entries: [{ ...mark(EPOCH, 1), sequence: 1 }] }
        await store.putMarks([{ user, changes: [{ report: 1, marks: [mark(EPOCH, 1)] }], list }])
      }
      expect(await store.eraseUser(id('a'), 100)).toBe(true)
      expect(await store.eraseUser(id('a'), 100)).toBe(false)
      for (let i = 0; i < 2; i++) {
        expect(await store.findUser(id('a'))).toBeUndefined()
        expect(await store.findSync(a, syncId(1))).toBeUndefined()
        expect(await store.attempts(a)).toBeUndefined()
        expect(await store.marks(a)).toBeUndefined()
        expect(await store.userMarks(a)).toEqual([])
        expect(await store.markedUsers(1)).toEqual([b])
        expect(await rowsOf(store, EPOCH, a)).toEqual([])
        expect((await probe(EPOCH, 1)).map(({ user }) => user)).toEqual([b])
        expect(await rowsOf(store, EPOCH + 40, b)).toHaveLength(1)
        expect(await store.findSync(b, syncId(1))).toBeDefined()
        const { users, days } = await store.statistics()
        expect([users, days]).toEqual([
          1,
          [
            { day: 100, rows: 2 },
            { day: 102, rows: 1 },
          ],
        ])
        await reopen()
      }
    })

    it('dropBefore deletes whole days and the acknowledgements, marks, codes, reports and pins that end before', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      const days = [100, 101, 102]
      for (const [i, day] of days.entries()) {
        await store.deposit(deposit(a, i, [group(day * EPOCHS_PER_DAY, row(day))], { day }))
      }
      const [old, kept] = [mark(EPOCH, 1), mark(102 * EPOCHS_PER_DAY, 2)]
      const entries = [old, kept].map((item, i) => ({ ...item, sequence: i + 1 }))
      await store.putMarks([
        {
          user: a,
          changes: [
            { report: 1, marks: [old, kept] },
            { report: 2, marks: [old] },
          ],
          list: { generation: 1, last: 2, entries },
        },
      ])
      await store.putCodes([code(1), code(2, { expiresAt: 102 * 86_400_000 })])
      await store.putReport(report(1, { until: 102 * EPOCHS_PER_DAY - 1 }))
      await store.putReport(report(2, { until: 102 * EPOCHS_PER_DAY }))
      await store.putPin(pin(102 * EPOCHS_PER_DAY - 1))
      await store.putPin(pin(102 * EPOCHS_PER_DAY))
      expect(await store.dropBefore(102)).toBe(2)
      expect(await store.dropBefore(102)).toBe(0)
      for (let i = 0; i < 2; i++) {
        expect(await rowsOf(store, EPOCH, a)).toEqual([])
        expect(await probe(EPOCH, 100)).toEqual([])
        expect(await rowsOf(store, 102 * EPOCHS_PER_DAY, a)).toHaveLength(1)
        const epochs = await store.epochs()
        expect(epochs).toContain(102 * EPOCHS_PER_DAY)
        expect(epochs.every((epoch) => epoch >= 102 * EPOCHS_PER_DAY)).toBe(true)
        expect(await Promise.all(days.map((_, n) => store.findSync(a, syncId(n)).then(Boolean)))).toEqual([
          false,
          false,
          true,
        ])
        expect(await store.userMarks(a)).toEqual([{ report: 1, marks: [kept] }])
        expect(await store.markedUsers(2)).toEqual([])
        expect(await store.marks(a)).toEqual({ generation: 1, last: 2, entries: [entries[1]] })
        expect((await store.reports()).map((item) => item.id)).toEqual([2])
        expect((await collect(store.codes())).map((item) => item.expiresAt)).toEqual([102 * 86_400_000])
        expect((await store.pins()).map(({ epoch }) => epoch)).toEqual([102 * EPOCHS_PER_DAY])
        expect((await store.statistics()).days.map(({ day }) => day)).toEqual([102])
        await reopen()
      }
    })

    it('dropBefore deletes users without a deposit since the day before, and the store keeps its floor', async () => {
      const [gone, kept] = await Promise.all([store.addUser(id('a'), 1, 100), store.addUser(id('b'), 1, 100)])
      for (const user of [gone, kept]) {
        await store.deposit(deposit(user, user, [group(EPOCH, row(user))], { attempts: { day: 100, count: 1 } }))
      }
      const spent = code(1, {
        state: 'spent',
        spent: { user: gone, syncId: syncId(gone), report: 1, day: 100 },
        expiresAt: 900 * 86_400_000,
      })
      await store.putCodes([spent])
      await store.deposit(deposit(kept, 9, [], { day: 101 }))
      expect(await store.attempts(kept)).toBeUndefined()
      expect([store.floor(), await store.dropBefore(101)]).toEqual([0, 1])
      expect(await store.findUser(id('a'))).toBe(gone)
      expect(await store.dropBefore(102)).toBe(0)
      for (let i = 0; i < 2; i++) {
        expect(store.floor()).toBe(102)
        expect([await store.findUser(id('a')), await store.findUser(id('b'))]).toEqual([undefined, kept])
        expect([await store.marks(gone), await store.attempts(gone)]).toEqual([undefined, undefined])
        expect(await store.marks(kept)).toBeDefined()
        const { spent: link, ...rest } = spent
        expect(link).toBeDefined()
        expect(await collect(store.codes())).toEqual([rest])
        expect((await store.statistics()).users).toBe(1)
        await reopen()
      }
      expect(await store.addUser(id('a'), 1, 103)).not.toBe(gone)
    })

    it('attempts count one after the other, and a deposit with another number than the next stores nothing', async () => {
      const a = await store.addUser(id('a'), 1, 100)
      const attempt = (n: number, day: number, count: number) =>
        store.deposit(deposit(a, n, [group(EPOCH, row(n))], { day, attempts: { day, count } }))
      const both = await Promise.all([attempt(1, 100, 1), attempt(2, 100, 1)])
      expect([...both].sort()).toEqual(['outdated', 'stored'])
      await reopen()
      expect([await attempt(3, 100, 1), await attempt(4, 100, 3), await attempt(5, 100, 2)]).toEqual([
        'outdated',
        'outdated',
        'stored',
      ])
      expect([await attempt(6, 101, 3), await attempt(7, 101, 1)]).toEqual(['outdated', 'stored'])
      expect(await store.attempts(a)).toEqual({ day: 101, count: 1 })
      expect(await rowsOf(store, EPOCH, a)).toHaveLength(3)
    })

    it('one of two changes of a record from the same value is made', async () => {
      const [a, b, c] = [1, 2, 3].map((n) => Uint8Array.of(n))
      const race = await Promise.all([
        store.changeRecord('list', a!, undefined),
        store.changeRecord('list', b!, undefined),
      ])
      expect(race.filter((isMade) => isMade)).toHaveLength(1)
      const known = await store.record('list')
      expect(known).toEqual(race[0] ? a : b)
      await reopen()
      const again = await Promise.all([store.changeRecord('list', c!, known), store.changeRecord('list', c!, known)])
      // Of two changes to one value the second has nothing to change from.
      expect(again.filter((isMade) => isMade)).toHaveLength(1)
      expect(await store.changeRecord('list', a!, undefined)).toBe(false)
      expect(await store.changeRecord('list', a!, b!)).toBe(false)
      expect(await store.record('list')).toEqual(c)
    })

    it('one holder has a lease at a time, and the writes of an earlier holder are refused', async () => {
      const first = (await store.acquireLease('gossip', 'one', 1_000, 50))!
      expect(first).toEqual({ name: 'gossip', holder: 'one', fence: 1, until: 1_050 })
      expect(await store.acquireLease('gossip', 'two', 1_049, 50)).toBeUndefined()
      expect(await store.acquireLease('other', 'two', 1_000, 50)).toMatchObject({ fence: 1 })
      const renewed = (await store.renewLease(first, 1_040, 50))!
      expect(renewed).toEqual({ ...first, until: 1_090 })
      expect(await store.acquireLease('gossip', 'two', 1_050, 50)).toBeUndefined()
      await store.under(first).putRecord('vote', Uint8Array.of(1))
      await reopen()
      const second = (await store.acquireLease('gossip', 'two', 1_090, 50))!
      expect(second).toMatchObject({ holder: 'two', fence: 2 })
      expect(await store.renewLease(renewed, 1_091, 50)).toBeUndefined()
      await store.releaseLease(renewed)
      expect(await store.acquireLease('gossip', 'one', 1_091, 50)).toBeUndefined()
      const a = await store.addUser(id('a'), 1, 100)
      await store.deposit(deposit(a, 1, [group(EPOCH, row(1))]))
      const late = store.under(renewed)
      const list = { generation: 1, last: 1, entries: [{ ...mark(EPOCH, 1), sequence: 1 }] }
      const change = { user: a, changes: [{ report: 1, marks: [mark(EPOCH, 1)] }], list }
      for (const write of [
        () => late.putRecord('vote', Uint8Array.of(2)),
        () => late.putMarks([change]),
        () => late.putReport(report(1)),
        () => late.putProgress({ report: 1 }),
        () => late.closeEpoch(EPOCH),
        () => late.dropBefore(200),
      ])
        await expect(write()).rejects.toMatchObject({ code: 'LEASE_LOST', data: { lease: 'gossip' } })
      expect(await store.record('vote')).toEqual(Uint8Array.of(1))
      expect(await store.userMarks(a)).toEqual([])
      expect([await store.reports(), await store.progress(), store.floor()]).toEqual([[], [], 0])
      await store.under(second).putMarks([change])
      await store.under(second).putRecord('vote', Uint8Array.of(3))
      expect(await store.under(second).closeEpoch(EPOCH)).toBeLessThanOrEqual(1)
      expect(await store.markedUsers(1)).toEqual([a])
      await store.releaseLease(second)
      const third = await store.acquireLease('gossip', 'one', 1_092, 50)
      expect(third).toMatchObject({ holder: 'one', fence: 3 })
      // A process that does not know of its lease any more takes it again, and its earlier writes count no more.
      expect(await store.acquireLease('gossip', 'one', 1_093, 50)).toMatchObject({ fence: 4 })
      await expect(store.under(third!).putRecord('vote', Uint8Array.of(4))).rejects.toMatchObject({
        code: 'LEASE_LOST',
      })
      await reopen()
      expect(await store.record('vote')).toEqual(Uint8Array.of(3))
      expect(await store.record('nothing')).toBeUndefined()
    })

    it('a counter never exceeds its bound, however many steps come at once, and goes with its day', async () => {
      const step = (name: string, add: number, max: number, until = 100) => store.count({ name, until, add, max })
      const counts = await Promise.all(Array.from({ length: 8 }, () => step('a', 1, 5)))
      expect([...counts].sort()).toEqual([1, 2, 3, 4, 5, undefined, undefined, undefined])
      expect([await step('b', 3, 5), await step('b', 3, 5), await step('b', 2, 5)]).toEqual([3, undefined, 5])
      expect([await step('b', 0, 5), await step('c', 0, 5), await step('d', 1, 5, 101)]).toEqual([5, 0, 1])
      await reopen()
      expect([await step('a', 1, 5), await step('a', 1, 6)]).toEqual([undefined, 6])
      await store.dropBefore(101)
      expect([await step('a', 1, 5, 101), await step('d', 1, 5, 101)]).toEqual([1, 2])
    })

    it('a second opening of a store for one process is STORE_LOCKED, and many processes never decide twice', async () => {
      if (store.capabilities.writers === 1) {
        await expect(place.open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
        expect((await store.statistics()).users).toBe(0)
        return
      }
      const second = await place.open()
      try {
        await twoOpeners(store, second)
      } finally {
        await second.close()
      }
    })
  })
}
