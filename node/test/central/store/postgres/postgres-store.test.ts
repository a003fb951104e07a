import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY, isFederationError } from '@geotrace/core-wasm/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CentralStore, CodeRecord, Deposit, ReportRecord } from '../../../../src/central/store/central-store.ts'
import { postgresStore } from '../../../../src/central/store/postgres/postgres-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { centralStoreConformance } from '../conformance.ts'
import { deposit, group, hashes, id, row, rowsOf, syncId } from '../sample.ts'
import { hasServer, type TestServer, testServer } from './server.ts'
import { storeCopyTests } from './store-copy.ts'

const EPOCH = 100 * EPOCHS_PER_DAY
/** Long enough for a busy machine; only a failure waits so long. */
const PATIENCE = { timeout: 120_000, interval: 50 }

describe.skipIf(!hasServer())('on a database server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await testServer()
  }, 120_000)
  afterAll(() => server.remove())

  for (const count of [1, 3]) {
    const create = async () => {
      const dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
      const urls = await server.createPlace(count)
      return {
        open: () => postgresStore({ urls, keyPath: join(dir, 'keys'), random: systemRandom, clock: systemClock() }),
        remove: () => rm(dir, { recursive: true }),
      }
    }
    centralStoreConformance(`PostgreSQL in ${count} ${count === 1 ? 'part' : 'parts'}`, create, { runs: 8 })
  }

  storeCopyTests(() => server, false)

  it('an old dump that is restored erases again who was erased since, and drops the days without keys', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
    const [url] = await server.createPlace(1)
    const dumped = url!.replace('part_0', 'dumped')
    const init = { keyPath: join(dir, 'keys'), random: systemRandom, clock: systemClock() }
    const open = (at: string) => postgresStore({ ...init, urls: [at], erasedPath: join(dir, 'erased-users') })
    const store = await open(url!)
    const [erased, kept] = [await store.addUser(id('erased'), 1, 101), await store.addUser(id('kept'), 1, 101)]
    const later = EPOCH + EPOCHS_PER_DAY
    for (const [n, user] of [erased, kept].entries())
      await store.deposit(deposit(user, n, [group(EPOCH, row('old')), group(later, row('met'))], { day: 101 }))
    await store.close()
    await server.run('create database dumped template part_0')
    const newer = await open(url!)
    await newer.eraseUser(id('erased'), 101)
    await newer.dropBefore(101)
    await newer.close()

    const restored = await open(dumped)
    expect(await restored.findUser(id('erased'))).toBeUndefined()
    expect(await restored.findUser(id('kept'))).toBe(kept)
    const found = []
    for await (const { user } of restored.probe(later, hashes('met'))) found.push(user)
    expect(found).toEqual([kept])
    expect(await restored.statistics()).toMatchObject({ users: 1, days: [{ day: 101, rows: 1 }] })
    expect(restored.floor()).toBe(101)
    // The same person may come back.
    await restored.addUser(id('erased'), 1, 101)
    await restored.close()
    const again = await open(dumped)
    expect(await again.findUser(id('erased'))).toBeGreaterThan(kept)
    await again.close()
    await rm(dir, { recursive: true })
  })

  describe('a store whose servers fail', () => {
    let dir: string
    let urls: string[]
    const opened: CentralStore[] = []
    const open = async (more: Partial<Parameters<typeof postgresStore>[0]> = {}) => {
      const init = { urls, keyPath: join(dir, 'keys'), random: systemRandom, clock: systemClock() }
      const store = await postgresStore({ ...init, ...more })
      opened.push(store)
      return store
    }
    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), 'geotrace-store-'))
      urls = await server.createPlace(3)
    })
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
      await rm(dir, { recursive: true })
    })
    /** The schema of the store, for statements of the test. */
    const schema = () => decodeURIComponent(urls[0]!).split('search_path=')[1]!
    /** Repeats a deposit as a device does. Every refusal is BUSY and has no address. */
    const insist = async (store: CentralStore, item: Deposit) => {
      let refusals = 0
      for (;;) {
        try {
          return { outcome: await store.deposit(item), refusals }
        } catch (error) {
          expect(isFederationError(error, 'BUSY') ? 'BUSY' : error).toBe('BUSY')
          const text = `${(error as Error).stack} ${JSON.stringify(error)}`
          for (const secret of ['postgres://', '127.0.0.1', ':test@', new URL(urls[0]!).port])
            expect(text).not.toContain(secret)
          refusals++
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }

    it('connections that end lose no acknowledged deposit, and a repetition counts once', {
      timeout: 300_000,
    }, async () => {
      const store = await open()
      const users = await Promise.all(Array.from({ length: 12 }, (_, n) => store.addUser(id(n), 1, 100)))
      let [isOver, refusals, ended] = [false, 0, 0]
      const ending = (async () => {
        while (!isOver && refusals < 10) {
          const own = "application_name = 'geotrace' and pid <> pg_backend_pid()"
          ended += (await server.run(`select pg_terminate_backend(pid) from pg_stat_activity where ${own}`)).length
          await new Promise((resolve) => setTimeout(resolve, 15))
        }
      })()
      await Promise.all(
        users.map(async (user, u) => {
          for (let n = 0; n < 15; n++) {
            const rows = [row(`${u}/${n}/a`), row(`${u}/${n}/b`)]
            const answer = await insist(store, deposit(user, 100 * u + n, [group(EPOCH, ...rows)]))
            refusals += answer.refusals
          }
        }),
      )
      isOver = true
      await ending
      expect(ended).toBeGreaterThan(0)
      await vi.waitFor(() => expect(store.condition()).toEqual({ condition: 'sound', parts: [] }), PATIENCE)
      for (const user of users) expect(await rowsOf(store, EPOCH, user)).toHaveLength(30)
      expect((await store.statistics()).days).toEqual([{ day: 100, rows: 360 }])
    })

    it('a store is busy while its server is down, says so, and recovers by itself', { timeout: 300_000 }, async () => {
      const store = await open()
      const user = await store.addUser(id('a'), 1, 100)
      await server.stop()
      const answers = await Promise.allSettled([
        store.deposit(deposit(user, 1, [group(EPOCH, row(1))])),
        store.findUser(id('a')),
        store.count({ name: 'n', until: 100, add: 1, max: 1 }),
        open(),
      ])
      for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } })
      expect(store.condition().condition).toBe('failed')
      expect(store.condition().parts).not.toHaveLength(0)
      await server.start()
      await vi.waitFor(() => expect(store.condition().condition).toBe('sound'), PATIENCE)
      expect((await insist(store, deposit(user, 1, [group(EPOCH, row(1))]))).outcome).toBe('stored')
    })

    /** A deposit that changes a report, of a user on another server than the first. */
    const crossing = async (store: CentralStore) => {
      let user = 0
      for (let n = 0; user % 3 === 0; n++) user = await store.addUser(id(n), 1, 100)
      const code: CodeRecord = { hash: id('code'), issuedAt: 0, expiresAt: 101 * 86_400_000, state: 'open' }
      await store.putCodes([code])
      const report: ReportRecord = {
        id: await store.nextReport(),
        user,
        at: 5,
        from: EPOCH,
        until: EPOCH + 9,
        state: 'active',
      }
      const spent = { user, syncId: syncId(1), report: report.id, day: 100 }
      const item = deposit(user, 1, [group(EPOCH, row(1))], {
        code: { ...code, state: 'spent', spent },
        reports: [report],
      })
      return { user, item, report }
    }
    const assertWhole = async (store: CentralStore, { user, item, report }: Awaited<ReturnType<typeof crossing>>) => {
      expect(await store.deposit(item)).toBe('duplicate')
      expect(await rowsOf(store, EPOCH, user)).toHaveLength(1)
      expect(await store.reports()).toEqual([report])
      expect((await store.findCode(id('code')))!.state).toBe('spent')
      for (let part = 0; part < 3; part++)
        expect(await server.run(`select usr from ${schema()}.intent`, `part_${part}`)).toEqual([])
    }

    for (const [place, table, part] of [
      ['before the records of the first server', 'applied', 0],
      ['before the rows of the user’s server', 'usr', undefined],
    ] as const)
      it(`a deposit that is cut ${place} is finished at a start, and by its repetition`, async () => {
        for (const way of ['start', 'repetition']) {
          urls = await server.createPlace(3)
          await rm(join(dir, 'keys'), { force: true })
          const store = await open()
          const whole = await crossing(store)
          // A trigger of the test lets the first write through and breaks the second one.
          const database = `part_${part ?? whole.user % 3}`
          const name = `${schema()}.${table}`
          const event = table === 'usr' ? 'update' : 'insert'
          await server.run(
            `create function ${schema()}.cut() returns trigger language plpgsql as $$ begin raise sqlstate '57P01'; end $$`,
            database,
          )
          await server.run(`create trigger cut before ${event} on ${name} execute function ${schema()}.cut()`, database)
          await expect(store.deposit(whole.item)).rejects.toMatchObject({ code: 'BUSY' })
          await server.run(`drop trigger cut on ${name}`, database)
          const left = await server.run(`select usr from ${schema()}.intent`, `part_${whole.user % 3}`)
          expect(left).toHaveLength(1)
          if (way === 'repetition') {
            expect(await store.findSync(whole.user, syncId(1))).toBeDefined()
            await assertWhole(store, whole)
          } else await assertWhole(await open(), whole)
        }
      })

    it('servers in another order, other keys and lost keys are refused, and a lost store is not founded again', async () => {
      await expect(open({ founding: 'never' })).rejects.toMatchObject({ code: 'STORE_MISSING' })
      await open()
      await expect(open({ urls: [...urls].reverse() })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
      await expect(open({ urls: urls.slice(0, 2) })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
      await expect(open({ founding: 'anew' })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
      await expect(open({ keyPath: join(dir, 'none') })).rejects.toMatchObject({ code: 'STORE_MISSING' })
      await expect(open({ urls: ['mysql://a'] })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
      const wrong = urls.map((url) => url.replace(':test@', ':wrong@'))
      await expect(open({ urls: wrong })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
      const other = await server.createPlace(3)
      await open({ urls: other, keyPath: join(dir, 'other') })
      await expect(open({ keyPath: join(dir, 'other') })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    })

    it('a value that was changed is found, and one server’s rows say nothing without the keys', async () => {
      const store = await open()
      const user = await store.addUser(id('a'), 1, 100)
      await store.deposit(deposit(user, 1, [group(EPOCH, row(1))]))
      await store.verify()
      expect(store.condition().condition).toBe('sound')
      const table = `${schema()}.blob_100`
      const database = `part_${user % 3}`
      const flip = `update ${table} set b = set_byte(b, 20, get_byte(b, 20) # 1)`
      await server.run(flip, database)
      await expect(store.userRows(EPOCH, [user])).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
      const second = await open()
      await second.verify()
      expect(second.condition()).toMatchObject({ condition: 'damaged', parts: [expect.stringContaining('of 3')] })
      await server.run(flip, database)
      expect(await rowsOf(store, EPOCH, user)).toHaveLength(1)
    })

    it('after retention no copy of the keys reads a dropped day, and every process moves on', async () => {
      const store = await open()
      const user = await store.addUser(id('a'), 1, 100)
      for (const day of [100, 101])
        await store.deposit(deposit(user, day, [group(day * EPOCHS_PER_DAY, row(day))], { day }))
      // A process on another machine with keys of its own.
      await copyFile(join(dir, 'keys'), join(dir, 'second'))
      const second = await open({ keyPath: join(dir, 'second') })
      expect(await rowsOf(second, EPOCH, user)).toHaveLength(1)
      expect(await store.dropBefore(101)).toBe(1)
      expect(await rowsOf(second, EPOCH, user)).toHaveLength(0)
      await expect(second.deposit(deposit(user, 7, [group(EPOCH, row(7))], { day: 101 }))).rejects.toThrow(RangeError)
      expect([store.floor(), second.floor()]).toEqual([101, 101])
      expect(await rowsOf(second, 101 * EPOCHS_PER_DAY, user)).toHaveLength(1)
      const third = await open({ keyPath: join(dir, 'second') })
      expect(await rowsOf(third, 101 * EPOCHS_PER_DAY, user)).toHaveLength(1)
    })
  })
})
