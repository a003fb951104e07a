/**
 * The tests that every central store on a disk must pass whose writes fail. PROTOCOL.md §8. One life of a store is run
 * once for each of its writes, and that write fails. The caller repeats what failed, as devices and operators do.
 */
import { bytesToHex, EPOCHS_PER_DAY, ROW_BYTES, SPREAD_SLIP_BYTES } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { CentralStore, CodeRecord, ReportRecord } from '../../../../src/central/store/central-store.ts'
import { deposit, group, hashes, id, mark, row, rowsOf, syncId } from '../sample.ts'

const EPOCH = 100 * EPOCHS_PER_DAY
const PERIOD = 95
const NAMES = ['a', 'b', 'c'] as const
/** A caller that repeats a failed call more often than the disk fails. */
const TRIES = 4

export interface FailingPlace {
  open(): Promise<CentralStore>
  /** Lets the clock pass the pause between two attempts to open a database again. */
  wait(): Promise<void>
  /** Writes so far. */
  writes(): number
  remove(): Promise<void>
}
export interface FailingInit {
  /** The number of the write that fails, counted from 1. */
  failAt: number
  code: 'ENOSPC' | 'EIO'
  failure: 'nothing' | 'landed'
  failedOpenings: number
}

type Step = (store: CentralStore) => Promise<unknown>
const user = async (store: CentralStore, name: string) => (await store.findUser(id(name)))!
const slip = (n: number) => new Uint8Array(SPREAD_SLIP_BYTES).fill(n)
const code = (n: number, more: Partial<CodeRecord> = {}): CodeRecord => {
  return { hash: id(`code ${n}`), issuedAt: 0, expiresAt: 103 * 86_400_000, state: 'open', ...more }
}

const enrolment = (n: number) => ({ bytes: new Uint8Array(40).fill(n), until: 200 })
/** A caller that repeats a replacement finds its own bytes where the disk kept them although the write failed. */
const enrol = async (store: CentralStore, n: number, before?: number): Promise<void> => {
  const known = before === undefined ? undefined : enrolment(before).bytes
  const isKept = await store.putEnrolment(id('device'), enrolment(n), known)
  if (!isKept) expect((await store.findEnrolment(id('device')))?.bytes).toEqual(enrolment(n).bytes)
}
const LEASE = 'leader'
const lease = async (store: CentralStore) => (await store.acquireLease(LEASE, 'first', 50, 1_000))!

/** Each step may be repeated until it succeeds. */
const LIFE: readonly Step[] = [
  ...NAMES.map((name) => (store: CentralStore) => store.addUser(id(name), 1, 100)),
  (store) => store.putCodes([code(1), code(2)]),
  (store) => store.putPin({ epoch: EPOCH, roster: id('roster'), signature: new Uint8Array(64) }),
  async (store) =>
    store.deposit(deposit(await user(store, 'a'), 1, [group(EPOCH, row(1), row(2)), group(EPOCH + 18, row(3))])),
  async (store) =>
    store.deposit(deposit(await user(store, 'b'), 2, [group(EPOCH, row(1), row(4)), group(EPOCH + 36, row(5))])),
  async (store) => {
    const reporter = await user(store, 'c')
    const report: ReportRecord = { id: 1, user: reporter, at: 5, from: EPOCH, until: EPOCH + 99, state: 'active' }
    const spent = code(1, { state: 'spent', spent: { user: reporter, syncId: syncId(3), report: 1, day: 100 } })
    await store.deposit(
      deposit(reporter, 3, [group(EPOCH, row(1))], {
        attempts: { day: 100, count: 1 },
        reports: [report],
        code: spent,
        slip: { period: PERIOD, report: 1, bytes: slip(1) },
      }),
    )
  },
  async (store) => {
    const reporter = await user(store, 'a')
    const report: ReportRecord = { id: 2, user: reporter, at: 5, from: EPOCH, until: EPOCH + 99, state: 'held' }
    const own = { period: PERIOD, report: 2, bytes: slip(2) }
    await store.deposit(deposit(reporter, 7, [], { reports: [report], slip: own }))
  },
  async (store) => store.deposit(deposit(await user(store, 'a'), 8, [], { isWithdrawal: true })),
  (store) => store.closePeriod(PERIOD, [1, 2]),
  (store) => store.putCodes([code(3)]),
  (store) => store.closeCode(code(3, { state: 'revoked' })),
  (store) => enrol(store, 1),
  (store) => enrol(store, 2, 1),
  async (store) => (await lease(store)) && store.count({ name: 'new-users', until: 200, add: 1, max: 9 }),
  async (store) => store.under(await lease(store)).putRecord('votes', new Uint8Array([7])),
  async (store) => store.under(await lease(store)).putProgress({ report: 1, computed: 'basis', people: [1] }),
  (store) => store.closeEpoch(EPOCH),
  async (store) => {
    const known = mark(EPOCH, 1)
    const list = { generation: 1, last: 1, entries: [{ ...known, sequence: 1 }] }
    await store.putMarks([{ user: await user(store, 'a'), changes: [{ report: 1, marks: [known] }], list }])
  },
  async (store) => store.deposit(deposit(await user(store, 'a'), 4, [group(EPOCH, row(1, 2), row(6))])),
  async (store) => {
    const takenBack = [
      { epoch: EPOCH, hashes: hashes(1, 9) },
      { epoch: EPOCH + 18, hashes: hashes(3) },
    ]
    await store.deposit(deposit(await user(store, 'a'), 6, [], { takenBack }))
  },
  (store) => store.closeEpoch(EPOCH),
  (store) => store.eraseUser(id('b'), 100),
  async (store) => store.renewLease(await lease(store), 60, 1_000),
  async (store) => {
    const first = await lease(store)
    await store.releaseLease(first)
    expect(await store.acquireLease(LEASE, 'second', 7, 0)).toBeDefined()
    await expect(store.under(first).putRecord('votes', new Uint8Array([8]))).rejects.toThrow()
  },
  (store) => store.dropPeriod(PERIOD - 1),
  async (store) => store.putReport({ ...(await store.reports())[0]!, state: 'retracted' }),
  (store) => store.dropBefore(101),
  async (store) => store.deposit(deposit(await user(store, 'c'), 5, [group(EPOCH + 18, row(7))], { day: 101 })),
]

/** Every answer of the store, without the numbers that an interrupted call may skip. */
async function answersOf(store: CentralStore): Promise<unknown> {
  const { users, days } = await store.statistics()
  const people = await Promise.all(
    NAMES.map(async (name) => {
      const number = await store.findUser(id(name))
      if (number === undefined) return undefined
      const rows = []
      for (const epoch of [EPOCH, EPOCH + 18, EPOCH + 36]) {
        for (const item of await rowsOf(store, epoch, number)) rows.push([epoch, bytesToHex(item.hash), item.lags])
      }
      for (const epoch of [EPOCH, EPOCH + 18]) {
        for await (const item of store.probe(epoch, hashes(1, 2, 3, 4, 5, 6, 7)))
          if (item.user === number) rows.push([epoch, item.rows.length / ROW_BYTES])
      }
      const syncs = await Promise.all(
        [1, 2, 3, 4, 5, 6, 7, 8].map((n) => store.findSync(number, syncId(n)).then(Boolean)),
      )
      return {
        rows,
        syncs,
        attempts: await store.attempts(number),
        marks: await store.userMarks(number),
        list: await store.marks(number),
      }
    }),
  )
  const codes = []
  for await (const { state, spent } of store.codes()) codes.push([state, spent?.report])
  const reports = (await store.reports()).map(({ id, state }) => [id, state])
  return {
    users,
    days: days.map(({ day, rows }) => [day, rows]),
    people,
    codes: codes.sort(),
    reports,
    pins: await store.pins(),
    slips: [await store.slipPeriods(), await store.takeSlips(PERIOD), await store.batchOf(PERIOD)],
    enrolment: await store.findEnrolment(id('device')),
    record: await store.record('votes'),
    progress: await store.progress(),
    // A counter may count a step twice that failed after it was written. It never forgets one.
    isCounted: (await store.count({ name: 'new-users', until: 200, add: 0, max: 9 }))! >= 1,
  }
}

async function live(place: FailingPlace): Promise<{ answers: unknown; reopened: unknown; refusals: unknown[] }> {
  const refusals: unknown[] = []
  const persistently = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let n = 1; ; n++) {
      try {
        return await call()
      } catch (error) {
        refusals.push((error as { code?: unknown }).code ?? error)
        if (n === TRIES) throw error
        await place.wait()
      }
    }
  }
  let store = await persistently(() => place.open())
  for (const step of LIFE) await persistently(() => step(store))
  const answers = await persistently(() => answersOf(store))
  await store.close()
  store = await place.open()
  const reopened = await answersOf(store)
  await store.close()
  return { answers, reopened, refusals }
}

export function failingWrites(name: string, create: (init: FailingInit) => Promise<FailingPlace>): void {
  describe(`${name} on a disk whose writes fail`, () => {
    for (const failure of ['nothing', 'landed'] as const) {
      const leaves = failure === 'landed' ? 'its bytes' : 'nothing'
      it(`${name} loses nothing that it acknowledged, whichever write fails and leaves ${leaves}`, async () => {
        const sound = await create({ failAt: Number.POSITIVE_INFINITY, code: 'EIO', failure, failedOpenings: 0 })
        const wanted = await live(sound)
        expect(wanted.reopened).toEqual(wanted.answers)
        const writes = sound.writes()
        expect(writes).toBeGreaterThan(LIFE.length)
        await sound.remove()
        for (let failAt = 1; failAt <= writes; failAt++) {
          const code = failAt % 2 === 0 ? 'EIO' : 'ENOSPC'
          const place = await create({ failAt, code, failure, failedOpenings: failAt % 3 })
          const { answers, reopened, refusals } = await live(place)
          expect(answers, `write ${failAt}`).toEqual(wanted.answers)
          expect(reopened, `write ${failAt}`).toEqual(wanted.answers)
          // A failed write that no caller sees would be a lost one.
          expect(refusals.length, `write ${failAt}`).toBeGreaterThan(0)
          expect(refusals.filter((refusal) => refusal !== 'STORAGE_FULL' && refusal !== 'BUSY')).toEqual([])
          await place.remove()
        }
      })
    }
  })
}
