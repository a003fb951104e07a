import { DAY_MS, EPOCH_MS, type ReportStatus, type SyncKind } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { nextStanding } from '../../src/deposit/standing.ts'
import { formatReportCode, type OwnReport } from '../../src/index.ts'
import {
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, HOUR, lastingStorage, MINUTE, recordAll, uncut } from '../fixture.ts'

const CODE = formatReportCode(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
const CODE_HEX = '0102030405060708090a'

describe('a report', () => {
  it('a report marks the users who were in the same place in the same block or after, and the marks become exposures', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const ada = await openTracer(federation, { random: seededBytes('ada') })
    const ben = await openTracer(federation, { random: seededBytes('ben') })
    const cleo = await openTracer(federation, { random: seededBytes('cleo') })
    const eve = await openTracer(federation, { random: seededBytes('eve') })
    const elsewhere = { lat: 52.6, lng: 13.5 }
    const at = (tracer: typeof ada, place: typeof CAFE, fromMin: number, toMin: number) =>
      Promise.all(
        life(place, START_MS - toMin * MINUTE, fromMin - toMin).map(async (fix) =>
          expect(await tracer.record(fix)).toEqual({ accepted: true }),
        ),
      )
    await at(ada, CAFE, 95, 55)
    await at(ben, CAFE, 80, 40)
    await at(cleo, CAFE, 35, 15)
    await at(eve, CAFE, 175, 155)
    await at(eve, elsewhere, 150, 100)
    for (const tracer of [ben, cleo, eve]) await tracer.sync()
    const reported = await ada.report(CODE.toLowerCase())
    expect(reported).toMatchObject({ report: 'accepted', fixesHashed: 8 })
    for (const tracer of [ada, ben, cleo, eve]) await tracer.sync()

    const [met, ...more] = await ben.exposures()
    expect(more).toEqual([])
    expect(met).toMatchObject({ ...CAFE, degree: 1, lagMin: { from: 0, to: 5 } })
    expect(met!.from).toBe(START_MS - 80 * MINUTE)
    expect(met!.to).toBe(START_MS - 50 * MINUTE)
    expect(met!.matches).toBe(met!.same + met!.trail)
    const [after] = await cleo.exposures()
    expect(after!.trail).toBeGreaterThan(0)
    expect(after!.lagMin.to).toBeGreaterThan(10)
    expect((await eve.exposures()).length).toBe(0)
    expect(await ada.marks()).toEqual([])

    federation.central.retract()
    await ben.sync()
    expect(await ben.exposures()).toEqual([])
  })

  it('a refused report throws the code of its reason, and its code is not sent again', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const cases = {
      'code-unknown': 'CODE_UNKNOWN',
      'code-spent': 'CODE_SPENT',
      'code-expired': 'CODE_EXPIRED',
    } as const
    for (const [status, code] of Object.entries(cases)) {
      federation.central.codes.set(CODE_HEX, status as keyof typeof cases)
      await expect(tracer.report(CODE)).rejects.toMatchObject({ code })
    }
    federation.central.codes.set(CODE_HEX, 'too-many-attempts')
    await expect(tracer.report(CODE)).rejects.toMatchObject({
      code: 'TOO_MANY_ATTEMPTS',
      data: { retryAfterMs: 3_600_000 },
    })
    expect(await tracer.sync()).toMatchObject({ report: 'none' })
  })

  it('a report waits for a connection over a restart, and its frame is as large as an ordinary sync', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const storage = lastingStorage()
    const sizes: number[] = []
    let online = false
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === OPENED_SYNC.id) sizes.push(frame.length)
      return online ? serve(frame) : unreachable()
    }
    const first = await openTracer(federation, { storage })
    await expect(first.report(CODE)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect((await first.preview()).report).toBe(true)
    online = true
    const second = await openTracer(federation, { storage })
    expect(await second.sync()).toMatchObject({ report: 'accepted' })
    expect(await second.sync()).toMatchObject({ report: 'published' })
    expect(new Set(sizes).size).toBe(1)
  })

  it('a code that is typed again after a lost answer is accepted, not called spent', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const tracer = await openTracer(federation)
    federation.intercept = async (_peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      return protocol.id === OPENED_SYNC.id ? unreachable() : reply
    }
    await expect(tracer.report(CODE)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    expect(await tracer.report(CODE)).toMatchObject({ report: 'accepted' })
  })
})

describe('more marks than one reply holds', () => {
  it('marks that do not fit one reply come page by page with later syncs', async () => {
    const federation = await fakeFederation({ syncReplyBytes: 1024 })
    federation.central.codes.set(CODE_HEX, 'accepted')
    const ada = await openTracer(federation, { random: seededBytes('ada') })
    const ben = await openTracer(federation, { random: seededBytes('ben') })
    for (const tracer of [ada, ben]) await recordAll(tracer, life(CAFE, START_MS, 60, 0.001))
    await ben.sync()
    await ada.report(CODE)
    let pages = 0
    for (let left = 1; left > 0; pages++) left = (await ben.sync()).marksLeft
    expect(pages).toBeGreaterThan(2)
    expect((await ben.marks()).length).toBe(12 * 15)
    expect(await ben.sync()).toMatchObject({ marksNew: 0, marksLeft: 0 })
  })
})

describe('the report of this device', () => {
  const dates = { from: START_MS - 30 * HOUR, testedAt: START_MS - 5 * HOUR }

  it('the dates of a report reach the central peer, and the same code with other dates updates the report', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const tracer = await openTracer(federation)
    expect(await tracer.ownReport()).toBeUndefined()
    expect(await tracer.report(CODE, dates)).toMatchObject({ report: 'accepted' })
    const epoch = Math.floor(dates.from / EPOCH_MS)
    const day = Math.floor(dates.testedAt / DAY_MS)
    expect(federation.central.requests.at(-1)!.report).toMatchObject({ kind: 'code', from: epoch, testDay: day })
    const standing = { at: START_MS, from: epoch * EPOCH_MS, testedAt: day * DAY_MS }
    expect(await tracer.ownReport()).toEqual({ stage: 'accepted', ...standing })
    await tracer.sync()
    expect(await tracer.ownReport()).toEqual({ stage: 'published', ...standing })
    await federation.clock.advanceTo(START_MS + HOUR)
    expect(await tracer.report(CODE, { from: dates.from + 3 * HOUR })).toMatchObject({ report: 'updated' })
    const later = Math.floor((dates.from + 3 * HOUR) / EPOCH_MS) * EPOCH_MS
    expect(await tracer.ownReport()).toEqual({ stage: 'updated', at: START_MS, from: later })
  })

  it('a withdrawal clears the marks of others, lasts over a restart until it is sent, and is remembered with its reason', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const storage = lastingStorage()
    const ada = await openTracer(federation, { storage, random: seededBytes('ada') })
    const ben = await openTracer(federation, { random: seededBytes('ben') })
    for (const tracer of [ben, ada]) await recordAll(tracer, life(CAFE, START_MS, 30))
    await ben.sync()
    await ada.report(CODE)
    await ben.sync()
    expect((await ben.exposures()).length).toBe(1)
    cut(federation, OPENED_SYNC)
    await expect(ada.withdraw('negative')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect((await ada.preview()).report).toBe(false)
    uncut(federation)
    const again = await openTracer(federation, { storage })
    expect(await again.sync()).toMatchObject({ report: 'withdrawn' })
    expect(await again.ownReport()).toMatchObject({ stage: 'withdrawn', reason: 'negative', at: START_MS })
    await ben.sync()
    expect(await ben.exposures()).toEqual([])
    expect(await again.withdraw('negative')).toMatchObject({ report: 'none' })
    expect(await again.ownReport()).toMatchObject({ stage: 'withdrawn' })
  })

  it('a report that the authority takes back is shown as ended, and is forgotten after the retention', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const tracer = await openTracer(federation)
    await tracer.report(CODE, dates)
    federation.central.retract()
    expect(await tracer.sync()).toMatchObject({ report: 'none' })
    expect(await tracer.ownReport()).toMatchObject({ stage: 'ended', at: START_MS })
    await tracer.eraseAll()
    expect(await tracer.ownReport()).toBeUndefined()
  })

  it('a reply changes the standing only as the stages allow', () => {
    const none = { kind: 'none' } as const
    const before = { stage: 'published', at: 5 } as const
    const after = (from: OwnReport | undefined, report: ReportStatus, kind: SyncKind = none) =>
      nextStanding(from, kind, { report, time: 9 })
    const code = { kind: 'code', code: new Uint8Array(10), from: 2, testDay: 3 } as const
    for (const report of ['code-unknown', 'code-spent', 'code-expired', 'too-many-attempts'] as const) {
      expect(after(before, report, code)).toBe(before)
      expect(after(undefined, report, code)).toBeUndefined()
    }
    for (const report of ['accepted', 'held', 'published'] as const) {
      expect(after(before, report)).toEqual({ stage: report, at: 5 })
      // A device that lost its record, or whose report another device made, claims nothing.
      expect(after(undefined, report)).toBeUndefined()
      expect(after(before, report, code)).toEqual({ stage: report, at: 9, from: 2 * EPOCH_MS, testedAt: 3 * DAY_MS })
    }
    expect(after(before, 'none')).toEqual({ stage: 'ended', at: 5 })
    expect(after({ stage: 'withdrawn', at: 5 }, 'none')).toEqual({ stage: 'withdrawn', at: 5 })
    expect(after(before, 'withdrawn', { kind: 'withdraw', reason: 'recovered' })).toEqual({
      stage: 'withdrawn',
      at: 5,
      reason: 'recovered',
    })
    expect(after(before, 'withdrawn')).toBe(before)
  })
})
