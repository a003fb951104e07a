import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import {
  EPOCH_MS,
  hashToRosterName,
  LAG_CURRENT,
  LAG_NEXT,
  marksPerReply,
  ROWS_PER_SHAPE_MAX,
} from '@geotrace/core-wasm/wire'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { epochToDay } from '../../../src/central/store/day.ts'
import { metaKey } from '../../../src/central/store/level/keys.ts'
import { levelStore } from '../../../src/central/store/level/level-store.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { ERASED_MS } from '../../../src/central/sync/erasures.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { hash, row, rowsOf as storedRows } from '../store/sample.ts'
import {
  certifiedRoster,
  DAY_MS,
  Device,
  type DeviceSync,
  demoManifest,
  HOUR_MS,
  idOf,
  RELAY,
  START,
  type World,
  world,
} from '../world.ts'

const dirs: string[] = []
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))))

const STORES = {
  memory: async () => memoryStore(),
  level: async () => {
    dirs.push(await mkdtemp(join(tmpdir(), 'geotrace-service-')))
    return levelStore({ dir: join(dirs.at(-1)!, 'store'), random: systemRandom, clock: systemClock() })
  },
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`the sync service over the ${name} store`, () => {
    let w: World
    let e: number
    beforeEach(async () => {
      w = await world({ store: await open() })
      e = w.epoch()
      return () => w.store.close()
    })
    const code = async () => (await w.codes.issue({ count: 1, days: 1 })).codes[0]!
    const rowsOf = async (epoch: number) =>
      (await w.store.statistics()).days.find(({ day }) => day === Math.floor(epoch / 18))?.rows

    it('the service stores a deposit and replies in the fixed size with the time and no refusal', async () => {
      const reply = await w.device().sync({ rows: { [e]: [1, 2, 3], [e - 1]: [4] } })
      expect(reply).toMatchObject({ report: 'none', time: START, left: 0, refused: [], marks: [] })
      expect(await rowsOf(e)).toBe(4)
    })

    it('the service marks a reporter’s contacts, whether contact or reporter synced first', async () => {
      const [reporter, early, late, stranger] = [w.device(), w.device(), w.device(), w.device()]
      await early.sync({ rows: { [e]: [1, 7] } })
      await stranger.sync({ rows: { [e]: [8, row(1, LAG_NEXT)] } })
      expect((await reporter.sync({ rows: { [e]: [1, 2] }, code: await code() })).report).toBe('accepted')
      expect((await early.sync()).marks.map(({ hash }) => hash)).toEqual([hash(1)])
      expect((await late.syncTwice({ rows: { [e]: [2, 9] } })).marks).toEqual([
        { epoch: e, hash: hash(2), degree: 1, weight: 32, lag: 0 },
      ])
      expect((await stranger.sync()).marks).toEqual([])
    })

    it('rows that a reporter or a contact deposits after the report still give marks of degree 1 and 2', async () => {
      const [reporter, contact, far] = [w.device(), w.device(), w.device()]
      await far.sync({ rows: { [e]: ['later'] } })
      await contact.sync({ rows: { [e - 1]: ['met'] } })
      await reporter.sync({ code: await code(), rows: { [e]: ['elsewhere'] } })
      expect((await contact.sync()).marks).toEqual([])
      await reporter.sync({ rows: { [e - 1]: ['met'] } })
      expect((await contact.sync()).marks).toHaveLength(1)
      expect((await far.sync()).marks).toEqual([])
      // The contact is a source now: what it deposits concerns the report.
      await contact.sync({ rows: { [e]: ['later'] } })
      expect((await far.sync()).marks).toMatchObject([{ degree: 2 }])
    })

    it('a reporter gets no marks while the report is active, and all of them after its retraction', async () => {
      const [first, second] = [w.device(), w.device()]
      await first.sync({ rows: { [e]: [1] } })
      await second.sync({ rows: { [e]: [1] }, code: await code() })
      expect((await first.sync()).marks).toHaveLength(1)
      await first.sync({ code: await code() })
      expect((await second.sync()).marks).toEqual([])
      expect((await second.sync()).left).toBe(0)
      expect(second.held.size).toBe(0)
      const [, reportOfSecond] = (await w.store.reports()).sort((a, b) => b.id - a.id)
      await w.risk.review(reportOfSecond!.id, 'retract')
      expect((await second.sync()).marks).toHaveLength(1)
    })

    it('a device reads marks page by page in order of severity, and no mark comes twice', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      const many = Array.from({ length: 240 }, (_, n) => row(n, 1, [5, 10, 20, 40, 80][n % 5]!))
      await contact.sync({ rows: { [e]: many, [e - 1]: many } })
      await reporter.sync({ rows: { [e]: many, [e - 1]: many }, code: await code() })
      await w.risk.settled()
      const first = await contact.sync()
      expect(first.marks).toHaveLength(49)
      expect(first.left).toBe(431)
      expect(first.marks.every(({ weight }) => weight === 32)).toBe(true)
      expect(await contact.readAll()).toBe(9)
      expect(contact.held.size).toBe(480)
      expect((await contact.sync()).marks).toEqual([])
    })

    it('a retraction raises the generation, and the device keeps only the marks of the remaining report', async () => {
      // With two degrees the contact would keep all three marks, because the first reporter is a contact of the second.
      w = await world({ store: w.store, config: { degrees: 1 } })
      const [a, b, contact] = [w.device(), w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1, 2, 3] } })
      await a.sync({ rows: { [e]: [1, 2] }, code: await code() })
      await b.sync({ rows: { [e]: [2, 3] }, code: await code() })
      await contact.readAll()
      expect(contact.held.size).toBe(3)
      const { generation } = contact.read
      await w.risk.review((await w.store.reports())[0]!.id, 'retract')
      await contact.readAll()
      expect(contact.read.generation).toBe(generation + 1)
      expect([...contact.held.values()].map(({ hash }) => hash).sort(Buffer.compare)).toEqual(
        [hash(2), hash(3)].sort(Buffer.compare),
      )
      await w.risk.review((await w.store.reports())[1]!.id, 'retract')
      await contact.sync()
      expect(contact.held.size).toBe(0)
    })

    it('a repeated sync gets the same reply, and its rows and its report count once', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1] } })
      const first = await reporter.sync({ rows: { [e]: [1, 2], [e + 2]: [5] }, code: await code() })
      expect(first.refused).toMatchObject([{ epoch: e + 2, reason: 'too-new' }])
      await w.risk.settled()
      const before = [await w.store.statistics(), await w.store.reports(), await w.codes.counts()]
      for (let i = 0; i < 3; i++) {
        await w.clock.advanceTo(w.clock.now() + HOUR_MS)
        expect(await reporter.again()).toEqual({ ...first, time: w.clock.now() })
      }
      expect([await w.store.statistics(), await w.store.reports(), await w.codes.counts()]).toEqual(before)
      await contact.readAll()
      expect(contact.held.size).toBe(1)
    })

    it('another content under a known sync id is refused with SYNC_CONFLICT', async () => {
      const device = w.device()
      const syncId = systemRandom(16)
      await device.sync({ rows: { [e]: [1] }, syncId })
      await expect(device.sync({ rows: { [e]: [2] }, syncId })).rejects.toMatchObject({ code: 'SYNC_CONFLICT' })
      await expect(device.sync({ rows: { [e]: [1] }, syncId, code: await code() })).rejects.toMatchObject({
        code: 'SYNC_CONFLICT',
      })
      expect(await rowsOf(e)).toBe(1)
    })

    it('a repeated sync may have another reading position', async () => {
      const device = w.device()
      const syncId = systemRandom(16)
      await device.sync({ rows: { [e]: [1] }, syncId })
      device.read = { generation: 77, cursor: 5 }
      expect((await device.sync({ rows: { [e]: [1] }, syncId })).refused).toEqual([])
      expect(w.service.counters.duplicates).toBe(1)
    })

    it('a group under another roster than the pinned one is refused, and the refusal names the pinned roster', async () => {
      const device = w.device()
      const reply = await device.sync({ rows: { [e]: [1], [e - 1]: [2] }, roster: new Uint8Array(8).fill(7) })
      const roster = hashToRosterName(w.rosters[0]!.hash)
      expect(reply.refused).toEqual([
        { epoch: e - 1, reason: 'roster', roster },
        { epoch: e, reason: 'roster', roster },
      ])
      expect(await rowsOf(e)).toBeUndefined()
      expect((await device.sync({ rows: { [e]: [1], [e - 1]: [2] } })).refused).toEqual([])
    })

    it('an epoch keeps its first roster when a newer one covers it, also after a restart', async () => {
      const device = w.device()
      await device.sync({ rows: { [e]: [1] } })
      const { roster } = w.rosters[0]!
      const later = certifiedRoster(w.manifest, { height: 1, firstEpoch: e - ((e - roster.firstEpoch) % 18) })
      w.rosters.push(later)
      const again = await world({ ...w, store: w.store })
      for (const before of [device, again.device()]) {
        const reply = await before.sync({ rows: { [e]: [3] }, roster: hashToRosterName(later.hash) })
        expect(reply.refused).toEqual([{ epoch: e, reason: 'roster', roster: hashToRosterName(w.rosters[0]!.hash) }])
      }
      const next = e + 18
      await w.clock.advanceTo(next * EPOCH_MS)
      expect((await device.sync({ rows: { [next]: [4] }, roster: hashToRosterName(later.hash) })).refused).toEqual([])
    })

    it('the service answers ROSTER_UNKNOWN and creates no user while the federation has no roster', async () => {
      const empty = await world({ rosters: [], manifest: w.manifest })
      const device = empty.device()
      await expect(
        empty.service.answer(device.frame({ rows: { [e]: [1] }, roster: new Uint8Array(8) }), RELAY),
      ).rejects.toMatchObject({ code: 'ROSTER_UNKNOWN' })
      expect((await empty.store.statistics()).users).toBe(0)
    })

    it('a user’s rows beyond 48 of one size and lag in an epoch are refused over all syncs, and known rows are taken again', async () => {
      const device = w.device()
      const full = Array.from({ length: ROWS_PER_SHAPE_MAX }, (_, n) => n)
      const refusedOf = async (sync: DeviceSync) => (await device.sync(sync)).refused
      const tooMany = [{ epoch: e, reason: 'too-many-rows' }]
      expect(await refusedOf({ rows: { [e]: full.slice(0, 20) } })).toEqual([])
      expect(await refusedOf({ rows: { [e]: full.slice(20) } })).toEqual([])
      expect(await refusedOf({ rows: { [e]: ['one more'] } })).toMatchObject(tooMany)
      expect(await refusedOf({ rows: { [e]: [row('both', LAG_CURRENT | LAG_NEXT)] } })).toMatchObject(tooMany)
      expect(await refusedOf({ rows: { [e]: full.slice(0, 5) } })).toEqual([])
      // Another size, another lag, another epoch and another user have room.
      expect(await refusedOf({ rows: { [e]: [row('size', LAG_CURRENT, 10), row('lag', LAG_NEXT)] } })).toEqual([])
      expect(await refusedOf({ rows: { [e - 1]: ['one more'] } })).toEqual([])
      expect((await w.device().sync({ rows: { [e]: ['one more'] } })).refused).toEqual([])
      // A known row that gains a lag counts in the second shape too.
      expect(await refusedOf({ rows: { [e]: full.slice(1).map((n) => row(n, LAG_NEXT)) } })).toEqual([])
      expect(await refusedOf({ rows: { [e]: [row(0, LAG_NEXT)] } })).toMatchObject(tooMany)
      // A row that is taken back makes room for one in the same sync.
      expect(await refusedOf({ rows: { [e]: [row(3, 0), 'one more'] } })).toEqual([])
    })

    it('a row that its user takes back gives no mark any more, in every epoch of the retention', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      const old = e - 200
      await contact.sync({ rows: { [e]: ['stays', 'goes'] } })
      await w.clock.advanceTo((e + 100) * EPOCH_MS)
      expect((await contact.sync({ rows: { [e]: ['late'] } })).refused).toMatchObject([{ reason: 'too-old' }])
      expect((await contact.sync({ rows: { [e]: [row('goes', 0), row('never there', 0)] } })).refused).toEqual([])
      expect((await contact.again()).refused).toEqual([])
      expect((await contact.sync({ rows: { [old]: [row('goes', 0)] } })).refused).toMatchObject([
        { epoch: old, reason: 'too-old' },
      ])
      expect(await rowsOf(e)).toBe(1)
      const user = (await w.store.findUser(idOf(contact)))!
      expect((await storedRows(w.store, e, user)).map(({ hash: left }) => left)).toEqual([hash('stays')])
      // The pins are as before: taking rows back pins nothing.
      expect((await w.store.pins()).map(({ epoch }) => epoch)).toEqual([e])
      await w.clock.advanceTo((e + 101) * EPOCH_MS)
      await reporter.sync({ code: await code() })
      expect((await contact.sync()).marks).toEqual([])
    })

    it('a report counts the rows from the epoch that the device says, and never earlier than the code says', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      const rows = { [e - 3]: ['a'], [e - 2]: ['b'], [e - 1]: ['c'] }
      await contact.sync({ rows })
      await reporter.sync({ rows, code: await code(), from: e - 2, testDay: 20_777 })
      await contact.readAll()
      expect([...contact.held.values()].map(({ epoch }) => epoch - e).sort()).toEqual([-1, -2])
      expect(await w.store.reports()).toMatchObject([{ from: e - 2, testDay: 20_777 }])
      const [bound] = (await w.codes.issue({ count: 1, days: 1, from: (e - 1) * EPOCH_MS })).codes
      await w.device().sync({ code: bound!, from: e - 9 })
      expect((await w.store.reports()).map(({ from }) => from - e)).toEqual([-2, -1])
    })

    it('the same code with another date updates the report, and all marks follow at once in a new generation', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      const rows = { [e - 2]: ['b'], [e - 1]: ['c'] }
      await contact.sync({ rows })
      const own = await code()
      await reporter.sync({ rows, code: own, testDay: 20_777 })
      await contact.readAll()
      expect(contact.held.size).toBe(2)
      const { generation } = contact.read
      expect((await reporter.sync({ code: own, from: e - 1 })).report).toBe('updated')
      expect((await reporter.again()).report).toBe('updated')
      await w.risk.settled()
      await contact.readAll()
      expect([...contact.held.values()].map(({ epoch }) => epoch - e)).toEqual([-1])
      expect(contact.read.generation).toBe(generation + 1)
      const [report] = await w.store.reports()
      expect(report).toEqual({ ...report, from: e - 1, state: 'active' })
      expect(report).not.toHaveProperty('testDay')
      expect(w.service.counters.reports).toBe(1)
      // Back to the first date.
      await reporter.sync({ code: own, from: 0, testDay: 20_776 })
      await w.risk.settled()
      await contact.readAll()
      expect(contact.held.size).toBe(2)
    })

    it('an update that a crash interrupts is computed at the next start', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      const rows = { [e - 2]: ['b'], [e - 1]: ['c'] }
      await contact.sync({ rows })
      await reporter.sync({ rows, code: await code() })
      await w.risk.settled()
      const [report] = await w.store.reports()
      await w.store.putReport({ ...report!, from: e - 1 })
      const again = await world({ ...w, store: w.store })
      await again.risk.settled()
      const [user] = await again.store.markedUsers(report!.id)
      expect((await again.store.marks(user!))!.entries.map(({ epoch }) => epoch - e)).toEqual([-1])
      expect(await again.store.reports()).toEqual([{ ...report!, from: e - 1 }])
    })

    it('after a withdrawal or a negative test all lists are those of a federation without the report', async () => {
      for (const reason of ['withdrawn', 'negative'] as const) {
        const [reporter, contact, other] = [w.device(), w.device(), w.device()]
        const [own, others] = [await code(), await code()]
        await contact.sync({ rows: { [e]: [reason, 'both'] } })
        await other.sync({ rows: { [e]: ['both'] }, code: others })
        await contact.readAll()
        const before = [...contact.held.keys()]
        await reporter.sync({ rows: { [e]: [reason] }, code: own })
        await contact.readAll()
        expect(contact.held.size).toBe(before.length + 1)
        expect((await reporter.sync()).report).toBe('published')
        expect((await reporter.sync({ withdraw: reason })).report).toBe('withdrawn')
        expect((await reporter.again()).report).toBe('withdrawn')
        expect((await reporter.sync({ withdraw: reason })).report).toBe('none')
        expect((await reporter.sync()).report).toBe('none')
        await contact.readAll()
        expect([...contact.held.keys()]).toEqual(before)
        expect((await reporter.sync({ code: own })).report).toBe('code-spent')
      }
    })

    it('a reporter who recovered is no source from then on, gets marks again, and earlier marks stay and arrive', async () => {
      w = await world({ store: w.store, config: { degrees: 1 } })
      const [reporter, contact, late, sick] = [w.device(), w.device(), w.device(), w.device()]
      await contact.sync({ rows: { [e]: ['met'] } })
      await reporter.sync({ rows: { [e]: ['met', 'met too', 'elsewhere'] }, code: await code() })
      await sick.sync({ rows: { [e]: ['elsewhere'] }, code: await code() })
      await contact.readAll()
      expect(contact.held.size).toBe(1)
      expect((await reporter.sync()).marks).toEqual([])
      expect((await reporter.sync({ withdraw: 'recovered' })).report).toBe('withdrawn')
      expect((await reporter.sync()).report).toBe('none')
      await reporter.readAll()
      expect(reporter.held.size).toBe(1)
      await contact.readAll()
      expect(contact.held.size).toBe(1)
      expect((await late.syncTwice({ rows: { [e]: ['met too'] } })).marks).toHaveLength(1)
      await w.clock.advanceTo((e + 2) * EPOCH_MS)
      await reporter.sync({ rows: { [e + 2]: ['healthy'] } })
      expect((await late.syncTwice({ rows: { [e + 2]: ['healthy'] } })).marks).toEqual([])
    })

    it('a sync of a reporter says where the report stands, also when it carries nothing', async () => {
      const reporter = w.device()
      expect((await reporter.sync({ code: await code() })).report).toBe('accepted')
      await w.risk.settled()
      expect((await reporter.sync()).report).toBe('published')
      expect((await reporter.sync({ rows: { [e]: [1] } })).report).toBe('published')
      const [report] = await w.store.reports()
      await w.risk.review(report!.id, 'retract')
      expect((await reporter.sync()).report).toBe('none')
    })

    it('an erasure that keeps the warning deletes the user, may be repeated, and keeps the marks that others have from the user', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1] } })
      await reporter.sync({ rows: { [e]: [1, 2] }, code: await code() })
      await contact.readAll()
      expect(await reporter.sync({ erase: 'with-warning', rows: { [e]: [3] } })).toMatchObject({
        generation: 0,
        cursor: 0,
        marks: [],
      })
      expect(await reporter.sync({ erase: 'all' })).toMatchObject({ report: 'none' })
      expect((await w.store.statistics()).users).toBe(1)
      expect(await rowsOf(e)).toBe(1)
      // A contact that syncs after the erasure is not marked; an earlier contact keeps its mark.
      expect((await w.device().syncTwice({ rows: { [e]: [2] } })).marks).toEqual([])
      await contact.sync({ rows: { [e]: [9] } })
      expect(contact.held.size).toBe(1)
      expect((await contact.sync({ erase: 'all' })).marks).toEqual([])
      expect((await w.store.statistics()).users).toBe(1)
    })

    it('an erasure without the warning takes the user’s marks from all others', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1] } })
      await reporter.sync({ rows: { [e]: [1, 2] }, code: await code() })
      await contact.readAll()
      expect(contact.held.size).toBe(1)
      await reporter.sync({ erase: 'all' })
      expect(await w.store.reports()).toMatchObject([{ state: 'retracted' }])
      await contact.readAll()
      expect(contact.held.size).toBe(0)
    })

    it('a delayed sync of a user who was just erased is refused with BUSY and creates no user', async () => {
      // Found by seed e11 of the simulation: the device stopped waiting and erased itself, and the peer read its sync later.
      const device = w.device()
      await device.sync({ rows: { [e]: [1] } })
      await device.sync({ erase: 'all' })
      await expect(device.sync({ rows: { [e]: [2] } })).rejects.toMatchObject({ code: 'BUSY' })
      // The same holds for a user that the central peer has never seen.
      const unknown = w.device()
      await unknown.sync({ erase: 'all' })
      await expect(unknown.sync({ rows: { [e]: [2] } })).rejects.toMatchObject({ code: 'BUSY' })
      expect((await w.store.statistics()).users).toBe(0)
      expect(await rowsOf(e)).toBe(0)
      await w.clock.advanceTo(w.clock.now() + ERASED_MS - 1)
      await expect(device.sync({ rows: { [e]: [2] } })).rejects.toMatchObject({ code: 'BUSY' })
      // After ERASED_MS, a device restored from that user's backup may sync again.
      await w.clock.advanceTo(w.clock.now() + 1)
      expect((await device.sync({ rows: { [e]: [2] } })).refused).toEqual([])
    })

    it('retention deletes old days also after a long pause, and a reader neither loses nor repeats the other marks', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await w.sweeping.start()
      await contact.sync({ rows: { [e - 20]: [1], [e]: [2] } })
      await reporter.sync({ rows: { [e - 20]: [1], [e]: [2] }, code: await code() })
      await contact.readAll()
      const [user] = await w.store.markedUsers(1)
      await w.clock.jumpTo(START + 14 * DAY_MS)
      await w.risk.settled()
      await contact.sync()
      expect(contact.held.size).toBe(2)
      const days = async () => (await w.store.statistics()).days.length
      await expect.poll(days).toBe(1)
      await w.clock.jumpTo(START + 15 * DAY_MS)
      // The sweep of the day before may still run during the jump. Then one of the next hours begins another.
      const hourLater = async () => await w.clock.advanceTo(w.clock.now() + HOUR_MS)
      await expect.poll(async () => await hourLater().then(days)).toBe(0)
      await expect.poll(async () => (await w.store.marks(user!))!.entries).toEqual([])
      await w.sweeping.stop()
    })

    it('the start computes active reports again and removes retracted marks, as after a crash', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1] } })
      await reporter.sync({ rows: { [e]: [1] }, code: await code() })
      await w.risk.settled()
      const [user] = await w.store.markedUsers(1)
      const list = (await w.store.marks(user!))!
      await w.store.putMarks([
        { user: user!, changes: [{ report: 1, marks: [] }], list: { ...list, last: 0, entries: [] } },
      ])
      const again = await world({ ...w, store: w.store })
      await again.risk.settled()
      expect(await again.store.markedUsers(1)).toEqual([user])
      await w.store.putReport({ ...(await w.store.reports())[0]!, state: 'retracted' })
      await (await world({ ...w, store: w.store })).risk.settled()
      expect(await w.store.markedUsers(1)).toEqual([])
    })

    it('a device that is ahead of a restored backup gets a new generation with all marks', async () => {
      const [reporter, contact] = [w.device(), w.device()]
      await contact.sync({ rows: { [e]: [1] } })
      await reporter.sync({ rows: { [e]: [1] }, code: await code() })
      await contact.readAll()
      contact.read = { ...contact.read, cursor: contact.read.cursor + 50 }
      await contact.readAll()
      expect(contact.held.size).toBe(1)
    })
  })
}

describe('the sync service', () => {
  it('a cut, longer or padded frame or one of another version is refused, and only zero padding to the next size is accepted', async () => {
    const w = await world({ manifest: demoManifest({ syncRequestBytes: [512, 1024] }) })
    const frame = w.device().frame({ rows: { [w.epoch()]: [1, 2, 3] } })
    const outcome = (bytes: Uint8Array) =>
      w.service.answer(bytes, RELAY).then(
        () => 'ok',
        (error: { code?: unknown }) => error.code,
      )
    const outcomes: unknown[] = []
    for (let length = 0; length < frame.length; length++) outcomes.push(await outcome(frame.subarray(0, length)))
    for (const more of [1, 512, 70_000])
      outcomes.push(await outcome(Uint8Array.from([...frame, ...new Uint8Array(more)])))
    // These two frames have a permitted size, but a byte after the groups is not zero.
    outcomes.push(await outcome(Uint8Array.from([...frame, ...new Uint8Array(511), 1])))
    outcomes.push(await outcome(Uint8Array.from([...frame.subarray(0, 511), 1])))
    // Only the frame of 1,024 bytes with zeros after the groups is valid; it encodes the same sync.
    expect(outcomes.filter((item) => item === 'ok')).toHaveLength(1)
    expect(outcomes.filter((item) => item === 'MESSAGE_MALFORMED')).toHaveLength(frame.length + 4)
    expect((await w.store.statistics()).users).toBe(1)
    expect(await outcome(Uint8Array.from([1, ...frame.subarray(1)]))).toBe('VERSION_UNKNOWN')
    expect(await outcome(Uint8Array.from([0, ...frame.subarray(1)]))).toBe('VERSION_UNKNOWN')
  })

  it('the files of the store have no byte sequence of the device’s secret or of a deposited hash', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-service-'))
    dirs.push(dir)
    const store = await levelStore({ dir: join(dir, 'store'), random: systemRandom, clock: systemClock() })
    const w = await world({ store })
    const device = w.device()
    const syncId = systemRandom(16)
    await device.sync({ rows: { [w.epoch()]: [1] }, syncId })
    await w.store.close()
    const items = await readdir(dir, { recursive: true, withFileTypes: true })
    const files = items.filter((item) => item.isFile()).map((item) => readFile(join(item.parentPath, item.name)))
    const contents = Buffer.concat(await Promise.all(files))
    // The day stands in a key, which shows that the files are those of the store.
    expect(contents.includes(Buffer.from(metaKey('day', epochToDay(w.epoch()))))).toBe(true)
    expect(contents.includes(Buffer.from(syncId))).toBe(false)
    expect(contents.includes(Buffer.from(hash(1)))).toBe(false)
    expect(contents.includes(Buffer.from(device.secret))).toBe(false)
  })

  it('the service answers BUSY until the central peer has caught up with others after its start', async () => {
    const w = await world()
    const e = w.epoch()
    const device = w.device()
    w.setStanding('catching-up')
    for (const sync of [{}, { rows: { [e]: [1] } }, { erase: 'all' as const }]) {
      await expect(device.sync(sync)).rejects.toMatchObject({ code: 'BUSY', data: { retryAfterMs: 2_000 } })
    }
    expect((await w.store.statistics()).users).toBe(0)
    w.setStanding('current')
    expect((await device.sync({ rows: { [e]: [1] } })).refused).toEqual([])
  })

  it('a central peer that is apart takes groups of pinned epochs, and refuses others without a pin', async () => {
    const w = await world()
    const e = w.epoch()
    await w.device().sync({ rows: { [e]: [1] } })
    w.setStanding('apart')
    const reply = await w.device().sync({ rows: { [e]: [2], [e + 1]: [3] } })
    expect(reply.refused).toMatchObject([{ epoch: e + 1, reason: 'roster' }])
    expect(reply.pins).toEqual([])
    expect((await w.store.pins()).map(({ epoch }) => epoch)).toEqual([e])
  })

  it('a refusal for the roster comes with the pin, also in the answer to a repeated sync', async () => {
    const w = await world()
    const e = w.epoch()
    await w.device().sync({ rows: { [e]: [1], [e - 1]: [1] } })
    const device = w.device()
    const reply = await device.sync({ rows: { [e]: [2], [e - 1]: [2], [e - 30]: [2] }, roster: new Uint8Array(8) })
    expect(reply.refused.map(({ epoch }) => epoch - e)).toEqual([-30, -1, 0])
    // The epoch without a pin has none in the reply. The newest pin comes first.
    expect(reply.pins).toEqual([...(await w.store.pins())].reverse())
    expect((await device.again()).pins).toEqual(reply.pins)
  })

  it('a reply holds as many pins of refused groups as leave room for one mark', async () => {
    const w = await world()
    const e = w.epoch()
    const epochs = Array.from({ length: 20 }, (_, i) => e - i)
    const rows = Object.fromEntries(epochs.map((epoch) => [epoch, [1]]))
    await w.device().sync({ rows })
    const reply = await w.device().sync({ rows, roster: new Uint8Array(8) })
    expect(reply.refused).toHaveLength(20)
    const { syncReplyBytes } = w.manifest.parameters
    expect(reply.pins.map(({ epoch }) => epoch)).toEqual(epochs.slice(0, reply.pins.length))
    expect(reply.pins.length).toBeGreaterThan(0)
    expect(marksPerReply(syncReplyBytes, 20, reply.pins.length)).toBeGreaterThanOrEqual(1)
    expect(marksPerReply(syncReplyBytes, 20, reply.pins.length + 1)).toBeLessThan(1)
  })

  it('a user’s deposits end with QUOTA_SPENT until the UTC day ends, and reading goes on', async () => {
    const w = await world({ config: { depositsPerDay: 24 } })
    const device = w.device()
    for (let n = 0; n < 24; n++) await device.sync({ rows: { [w.epoch()]: [n] } })
    const untilMidnight = DAY_MS - (w.clock.now() % DAY_MS)
    await expect(device.sync({ rows: { [w.epoch()]: [24] } })).rejects.toMatchObject({
      code: 'QUOTA_SPENT',
      data: { retryAfterMs: untilMidnight },
    })
    expect((await device.sync()).report).toBe('none')
    await w.device().sync({ rows: { [w.epoch()]: [24] } })
    await w.clock.advanceTo(w.clock.now() + untilMidnight)
    expect((await device.sync({ rows: { [w.epoch()]: [24] } })).refused).toEqual([])
  })

  it('a store near its ceiling refuses new users, and at the ceiling deposits, and goes on reading and erasing', async () => {
    const store = memoryStore()
    let bytes = 0
    const sized = { ...store, statistics: async () => ({ ...(await store.statistics()), bytes }) }
    const w = await world({ store: sized, config: { storeCeilingMib: 16 } })
    const known = w.device()
    bytes = 15 * 2 ** 20 - 1
    await known.sync({ rows: { [w.epoch()]: [1] } })
    bytes++
    const full = { code: 'STORAGE_FULL' }
    await expect(w.device().sync({ rows: { [w.epoch()]: [1] } })).rejects.toMatchObject(full)
    await known.sync({ rows: { [w.epoch()]: [2] } })
    bytes = 16 * 2 ** 20
    await expect(known.sync({ rows: { [w.epoch()]: [3] } })).rejects.toMatchObject(full)
    expect((await known.sync()).report).toBe('none')
    await known.sync({ erase: 'all' })
    expect((await store.statistics()).users).toBe(0)
  })

  it('a sync beyond the configured number in flight is refused with BUSY', async () => {
    const w = await world({ config: { inFlight: 2 } })
    const e = w.epoch()
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => w.device().sync({ rows: { [e]: [1] } })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).toEqual(['BUSY', 'BUSY', 'BUSY'])
    await w.device().sync({ rows: { [e]: [1] } })
  })

  it('idle resolves when the last sync under way is answered', async () => {
    const store = memoryStore()
    const order: string[] = []
    let release = (): void => {}
    const isReleased = new Promise<void>((resolve) => {
      release = resolve
    })
    const w = await world({
      store: {
        ...store,
        async deposit(deposit) {
          void w.service.idle().then(() => order.push('idle'))
          expect(w.service.inFlight).toBe(1)
          await isReleased
          order.push('released')
          return await store.deposit(deposit)
        },
      },
    })
    await w.service.idle()
    const sync = w.device().sync({ rows: { [w.epoch()]: [1] } })
    release()
    await sync
    expect({ order, inFlight: w.service.inFlight }).toEqual({ order: ['released', 'idle'], inFlight: 0 })
  })

  it('no reply waits for marks: syncs, reports, withdrawals and erasures are answered while a computation stands still', async () => {
    const store = memoryStore()
    let release = (): void => {}
    const isReleased = new Promise<void>((resolve) => {
      release = resolve
    })
    let isReading = (): void => {}
    const reading = new Promise<void>((resolve) => {
      isReading = resolve
    })
    const w = await world({
      store: {
        ...store,
        async *probe(epoch, hashes) {
          isReading()
          await isReleased
          yield* store.probe(epoch, hashes)
        },
      },
    })
    const e = w.epoch()
    // These devices use the service itself, which does not wait as the devices of the other tests do.
    const device = () => new Device(w.manifest, w.service, w.rosters, systemRandom, w.clock)
    const [reporter, contact, second, leaver] = [device(), device(), device(), device()]
    const [first, other] = (await w.codes.issue({ count: 2, days: 1 })).codes
    for (const one of [contact, second, leaver]) await one.sync({ rows: { [e]: [1] } })
    expect((await reporter.sync({ rows: { [e]: [1] }, code: first! })).report).toBe('accepted')
    await w.clock.advanceTo(START + HOUR_MS)
    await reading
    expect((await contact.syncTwice({ rows: { [e]: [2] } })).marks).toEqual([])
    expect((await contact.sync()).marks).toEqual([])
    expect((await second.sync({ rows: { [e]: [3] }, code: other! })).report).toBe('accepted')
    expect((await reporter.sync()).report).toBe('accepted')
    expect((await second.sync({ withdraw: 'negative' })).report).toBe('withdrawn')
    expect((await leaver.sync({ erase: 'all' })).report).toBe('none')
    // A reader who is ahead gets a new generation meanwhile.
    contact.read = { ...contact.read, cursor: 99 }
    expect((await contact.sync()).cursor).toBe(0)
    release()
    await w.risk.settled()
    expect((await contact.sync()).marks).toHaveLength(1)
    expect((await reporter.sync()).report).toBe('published')
  })

  it('only one of eight users who present one code at the same time spends it', async () => {
    const w = await world()
    const [code] = (await w.codes.issue({ count: 1, days: 1 })).codes
    const replies = await Promise.all(Array.from({ length: 8 }, () => w.device().sync({ code: code! })))
    expect(replies.map(({ report }) => report).sort()).toEqual(['accepted', ...new Array(7).fill('code-spent')])
    expect(await w.store.reports()).toHaveLength(1)
  })

  it('a report ends after its days, and its reporter gets marks of others again', async () => {
    const w = await world({ config: { reportDays: 2 } })
    const e = w.epoch()
    const [a, b] = [w.device(), w.device()]
    const [first, second] = (await w.codes.issue({ count: 2, days: 1 })).codes
    await a.sync({ rows: { [e]: [1] }, code: first! })
    await b.sync({ rows: { [e]: [1] }, code: second! })
    expect((await a.sync()).marks).toEqual([])
    await w.clock.advanceTo(START + 4 * DAY_MS)
    expect((await a.sync()).marks).toHaveLength(1)
    const late = w.epoch()
    await a.sync({ rows: { [late]: [5] } })
    expect((await w.device().syncTwice({ rows: { [late]: [5] } })).marks).toEqual([])
  })
})
