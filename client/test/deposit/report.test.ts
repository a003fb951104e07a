import { SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { formatReportCode } from '../../src/index.ts'
import {
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, lastingStorage, MINUTE, recordAll } from '../fixture.ts'

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
      if (protocol.id === SYNC_PROTOCOL.id) sizes.push(frame.length)
      return online ? serve(frame) : unreachable()
    }
    const first = await openTracer(federation, { storage })
    await expect(first.report(CODE)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect((await first.preview()).report).toBe(true)
    online = true
    const second = await openTracer(federation, { storage })
    expect(await second.sync()).toMatchObject({ report: 'accepted' })
    expect(await second.sync()).toMatchObject({ report: 'none' })
    expect(new Set(sizes).size).toBe(1)
  })

  it('a code that is typed again after a lost answer is accepted, not called spent', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(CODE_HEX, 'accepted')
    const tracer = await openTracer(federation)
    federation.intercept = async (_peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      return protocol.id === SYNC_PROTOCOL.id ? unreachable() : reply
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
