/** Tests of the copy from a level store into an empty store on database servers. Devices see no change. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock, systemClock } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY, LAG_NEXT } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleProgram, startProgram } from '../../../../../scripts/test-program.js'
import type { CentralStore, CodeRecord, MarkList, ReportRecord } from '../../../../src/central/store/central-store.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { copyToPostgres } from '../../../../src/central/store/postgres/copy/store-copy.ts'
import { postgresStore } from '../../../../src/central/store/postgres/postgres-store.ts'
import type { StoreSource } from '../../../../src/central/store/store-source.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { type Device, demoManifest, START, world } from '../../world.ts'
import { deposit, group, hash, hashes, id, mark, row, rowsOf, syncId } from '../sample.ts'
import type { TestServer } from './server.ts'

const PEOPLE = 8
const ERASED = 4
const SYNCS = 6
const EPOCH = 100 * EPOCHS_PER_DAY
const PERIOD = 7
const ENDS = 200 * 86_400_000

type LevelStore = Awaited<ReturnType<typeof levelStore>>

/** `isWhole`: also with one server, with kills and with refusals, which take longer. */
export function storeCopyTests(server: () => TestServer, isWhole: boolean): void {
  describe('a copy of a level store', () => {
    let dir: string
    let urls: string[]
    const shared = { random: systemRandom, clock: systemClock() }
    const openLevel = () => levelStore({ dir: join(dir, 'store'), ...shared })
    const openCopy = () => postgresStore({ urls, keyPath: join(dir, 'database.keys'), ...shared, founding: 'never' })
    const copy = (source: StoreSource, onPart: (name: string, step: string) => void = () => {}) =>
      copyToPostgres({ source, urls, keyPath: join(dir, 'database.keys'), ...shared, onPart })
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'geotrace-copy-'))
      urls = await server().createPlace(3)
    })
    afterEach(() => rm(dir, { recursive: true }))

    it.each(isWhole ? [1, 3] : [3])(
      'in %i parts gives every device the marks, rows and acknowledgements that it had',
      async (count) => {
        urls = urls.slice(0, count)
        const store = await openLevel()
        await fill(store)
        const before = await look(store)
        const digests = await copy(store.source())
        expect(await look(store)).toEqual(before)
        await store.close()
        expect(digests).toMatchObject({ users: { count: PEOPLE - 1 }, 'day 100': { count: expect.any(Number) } })

        const copied = await openCopy()
        expect(await look(copied)).toEqual(before)
        await goesOn(copied, before)
        await copied.verify()
        expect(copied.condition()).toEqual({ condition: 'sound', parts: [] })
        await copied.close()
      },
    )

    it('devices read on where they were, and a repeated sync and a later contact count as before', async () => {
      const clock = simulatedClock(START)
      const manifest = demoManifest()
      const store = await levelStore({ dir: join(dir, 'store'), random: systemRandom, clock })
      const first = await world({ store, clock, manifest })
      const [ada, ben, cleo] = [first.device(), first.device(), first.device()]
      const epoch = first.epoch() - 3
      const meeting = { rows: { [epoch]: ['café', 'tram'] } }
      const repeated = { ...meeting, syncId: syncId(1) }
      await ben.sync(repeated)
      await cleo.sync({ rows: { [epoch]: ['elsewhere'] } })
      const { codes } = await first.codes.issue({ count: 1, days: 3 }, { name: 'operator' })
      await ada.sync({ ...meeting, code: codes[0]! })
      await first.risk.settled()
      for (const device of [ada, ben, cleo]) await device.readAll()
      const seen = (device: Device) => ({ read: device.read, held: [...device.held] })
      const before = [ada, ben, cleo].map(seen)
      expect(ben.held.size).toBe(2)
      await first.risk.stop()
      await copy(store.source())
      await store.close()

      const copied = await postgresStore({ urls, keyPath: join(dir, 'database.keys'), random: systemRandom, clock })
      const later = await world({ store: copied, clock, manifest, rosters: first.rosters })
      for (const device of [ada, ben, cleo]) later.take(device)
      await ben.sync(repeated)
      expect(later.service.counters).toMatchObject({ syncs: 1, duplicates: 1 })
      for (const device of [ada, ben, cleo]) await device.readAll()
      expect([ada, ben, cleo].map(seen)).toEqual(before)
      await cleo.sync({ rows: { [epoch]: ['tram'] } })
      await cleo.readAll()
      expect(cleo.held.size).toBe(1)
      expect(cleo.read.generation).toBe(before[2]!.read.generation)
      await later.risk.stop()
      await copied.close()
    })

    it.runIf(isWhole)('goes on after kills, and no peer opens the unfinished store', async () => {
      const filled = await openLevel()
      await fill(filled)
      const before = await look(filled)
      await filled.close()
      const program = await bundleProgram('node/test/central/store/postgres/copy-child.ts')
      for (const left of [3, 25]) {
        const child = startProgram(program, [dir, `${left}`, ...urls])
        expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
        await expect(openCopy()).rejects.toMatchObject({ code: 'STORE_MISSING' })
      }
      const store = await openLevel()
      const steps: string[] = []
      await copy(store.source(), (name, step) => steps.push(`${name} ${step}`))
      expect(steps.slice(0, 4)).toEqual(['numbers known', 'users known', 'marks known', 'records known'])
      const copied = await openCopy()
      expect(await look(copied)).toEqual(before)
      await goesOn(copied, before)
      await copied.close()
      await store.close()
    })

    it.runIf(isWhole)(
      'refuses a database with a store, another source, and a source that changed meanwhile',
      async () => {
        const store = await openLevel()
        await fill(store)
        await expect(copy(failing(store.source(), 25))).rejects.toThrow('the process ends')
        await store.addUser(id('later'), 1, 101)
        await expect(copy(store.source())).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
        const other = await levelStore({ dir: join(dir, 'other'), ...shared })
        await expect(copy(other.source())).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
        urls = await server().createPlace(3)
        await rm(join(dir, 'database.keys'))
        await copy(store.source())
        await expect(copy(store.source())).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
        await other.close()
        await store.close()
      },
    )
  })
}

/** Fails after so many blobs. */
function failing(source: StoreSource, left: number): StoreSource {
  return {
    ...source,
    floor: source.floor,
    async *blobs(day) {
      for await (const item of source.blobs(day)) {
        if (left-- <= 0) throw new Error('the process ends')
        yield item
      }
    },
  }
}

function list(sequence: number, ...names: string[]): MarkList {
  const entries = names.map((name, n) => ({ sequence: sequence + n, ...mark(EPOCH, name) }))
  return { generation: 9, last: sequence + names.length - 1, entries }
}

/** Some days of people who meet, with one of everything that a store has. */
async function fill(store: LevelStore): Promise<void> {
  const users: number[] = []
  for (let n = 0; n < PEOPLE; n++) users.push(await store.addUser(id(n), 9, 100))
  for (const [n, user] of users.entries())
    for (let sync = 0; sync < SYNCS; sync++) {
      const epoch = EPOCH + 4 * sync
      const rows = [row(`met ${sync}`), row(`${n}/${sync}`), row(`next ${n}/${sync}`, LAG_NEXT)]
      // Some syncs have rows of two days.
      const groups = [group(epoch, ...rows), ...(sync % 3 === 0 ? [group(EPOCH + EPOCHS_PER_DAY, row(`${n}/b`))] : [])]
      await store.deposit(deposit(user, sync, groups, { day: sync < 3 ? 100 : 101 }))
    }
  await store.closeEpoch(EPOCH)
  await store.closeEpoch(EPOCH + 4)
  await store.deposit(deposit(users[1]!, 90, [], { day: 101, takenBack: [{ epoch: EPOCH, hashes: hashes('met 0') }] }))
  const code: CodeRecord = { hash: id('code'), issuedAt: 0, expiresAt: ENDS, state: 'open', batch: 'b', label: 'lab' }
  await store.putCodes([code, { ...code, hash: id('open') }])
  const report: ReportRecord = {
    ...{ id: await store.nextReport(), user: users[2]!, at: 5 },
    ...{ from: EPOCH, until: EPOCH + 99, state: 'active' },
  }
  const spent = { user: users[2]!, syncId: syncId(91), report: report.id, day: 101 }
  await store.deposit(
    deposit(users[2]!, 91, [group(EPOCH + 8, row('late'))], {
      ...{ day: 101, attempts: { day: 101, count: 1 }, reports: [report] },
      ...{ code: { ...code, state: 'spent', spent } },
      slip: { period: PERIOD, report: report.id, bytes: new Uint8Array(104).fill(3) },
    }),
  )
  for (const user of [users[0]!, users[3]!, users[ERASED]!])
    await store.putMarks([
      { user, changes: [{ report: report.id, marks: [mark(EPOCH, 'met 0')] }], list: list(1, 'met 0') },
    ])
  await store.putProgress({ report: report.id, computed: 'x', people: [3], partial: { basis: 'x', after: users[3]! } })
  await store.putReport({ ...report, id: await store.nextReport(), user: users[ERASED]!, state: 'held' })
  await store.putPin({ epoch: EPOCH, rosterId: id('roster'), signature: new Uint8Array(64) } as never)
  await store.closePeriod(PERIOD - 1, [])
  await store.putEnrolment(id('phone'), { bytes: Uint8Array.of(1, 2), until: 150 }, undefined)
  await store.acquireLease('leader', 'one', 1_000, 10_000)
  await store.count({ name: 'newcomers', until: 150, add: 3, max: 9 })
  await store.putRecord('votes', Uint8Array.of(5, 6))
  await store.eraseUser(id(ERASED), 101)
}

/** All that devices and the authority see, by names that no store gives. */
async function look(store: CentralStore) {
  const known = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => store.findUser(id(n))))
  const nameOf = new Map(known.map((user, n) => [user, n]))
  const people = []
  for (const user of known) {
    if (user === undefined) people.push(undefined)
    else {
      const syncs = []
      for (const n of [...Array(SYNCS).keys(), 90, 91]) syncs.push(await store.findSync(user, syncId(n)))
      const rows = []
      for (const epoch of await store.epochs()) rows.push(await rowsOf(store, epoch, user))
      const marks = { list: await store.marks(user), reports: await store.userMarks(user) }
      people.push({ syncs, rows, marks, attempts: await store.attempts(user) })
    }
  }
  const met = []
  for (let sync = 0; sync < SYNCS; sync++) {
    const found = []
    for await (const { user, rows } of store.probe(EPOCH + 4 * sync, hashes(`met ${sync}`, `${sync}/${sync}`)))
      found.push({ who: nameOf.get(user)!, rows })
    met.push(found.sort((a, b) => a.who - b.who))
  }
  const codes = []
  for await (const { spent, ...code } of store.codes())
    codes.push({ ...code, spent: spent && { ...spent, user: nameOf.get(spent.user) } })
  const reports = (await store.reports()).map((report) => ({ ...report, user: nameOf.get(report.user) }))
  const { users, days } = await store.statistics()
  return {
    ...{ people, met, users, days, reports, pins: await store.pins(), floor: store.floor() },
    codes: codes.sort((a, b) => Buffer.compare(a.hash, b.hash)),
    progress: (await store.progress()).map(({ partial, ...item }) => ({ ...item, basis: partial?.basis })),
    marked: (await store.markedUsers(1)).map((user) => nameOf.get(user)).sort(),
    slips: [await store.slipPeriods(), await store.takeSlips(PERIOD), await store.batchOf(PERIOD - 1)],
    ...{ enrolment: await store.findEnrolment(id('phone')), record: await store.record('votes') },
    count: await store.count({ name: 'newcomers', until: 150, add: 0, max: 9 }),
  }
}

/** The copy counts on where the source was. */
async function goesOn(store: CentralStore, before: Awaited<ReturnType<typeof look>>): Promise<void> {
  const user = (await store.findUser(id(0)))!
  const again = deposit(user, 5, [group(EPOCH + 20, row('met 5'), row('0/5'), row('next 0/5', LAG_NEXT))], { day: 101 })
  expect(await store.deposit(again)).toBe('duplicate')
  await expect(store.deposit({ ...again, digest: id('other') })).rejects.toMatchObject({ code: 'SYNC_CONFLICT' })
  // Three syncs of this person arrived on the last day.
  expect(await store.deposit(deposit(user, 300, [], { day: 101, perDay: 3 }))).toBe('too-many')
  expect(await store.deposit(deposit(user, 300, [], { day: 101, perDay: 4 }))).toBe('stored')
  expect(await store.nextReport()).toBe(Math.max(...before.reports.map((report) => report.id)) + 1)
  const numbers = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => store.findUser(id(n))))
  const later = await store.addUser(id('later'), 1, 101)
  expect(later).toBeGreaterThan(Math.max(...numbers.map((number) => number ?? 0)) - 3)
  expect(numbers).not.toContain(later)
  expect(await store.acquireLease('leader', 'two', 12_000, 10_000)).toMatchObject({ fence: 2 })
  expect(await store.closeCode({ ...(await store.findCode(id('open')))!, state: 'revoked' })).toBe(true)
  expect(hash(0)).toHaveLength(12)
  expect(await store.dropBefore(101)).toBe(1)
  expect((await store.statistics()).days.map(({ day }) => day)).toEqual([101])
}
