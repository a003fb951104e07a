/** The slip of a report: when there is one, what it says, and what it costs. PROTOCOL.md §9.10. */
import { DAY_MS, type SyncKind } from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { readLedger } from '../../src/device/ledger.ts'
import { formatReportCode, type Storage, type Tracer } from '../../src/index.ts'
import { openTracer, seededBytes } from '../../src/testing/fake-federation.ts'
import { CAFE, lastingStorage, MINUTE, recordAll } from '../fixture.ts'
import { PERIOD, type SpreadFederation, spreadFederation } from './spread-federation.ts'

describe('the slip of a report', () => {
  let spread: SpreadFederation
  let storage: Storage
  let tracer: Tracer
  let codes: number
  beforeEach(async () => {
    spread = await spreadFederation()
    storage = lastingStorage()
    tracer = await openTracer(spread.federation, { storage })
    codes = 0
  })

  const newCode = (): string => {
    const code = new Uint8Array(10).fill(++codes)
    spread.federation.central.codes.set(Buffer.from(code).toString('hex'), 'accepted')
    return formatReportCode(code)
  }
  /** The slips of all reports so far, in order. */
  const slips = () =>
    spread.federation.central.requests
      .map(({ report }) => report)
      .filter((report): report is SyncKind & { kind: 'code' } => report.kind === 'code')
      .map(({ slip }) => slip)
  const bucketOf = (i: number) => spread.open(slips()[i]!)
  const inCafe = (from: Tracer = tracer) =>
    recordAll(from, [{ ...CAFE, accuracyM: 5, at: spread.federation.clock.now() - MINUTE }])
  const ledger = async () => (await readLedger(storage)).map(({ period }) => period)
  /** Brings the clock into the next period. */
  const nextPeriod = async () => {
    await spread.federation.clock.jumpTo(spread.federation.clock.now() + DAY_MS)
    await tracer.sync()
  }

  it('a person who agreed contributes a place, and one who did not contributes nowhere in a slip of the same form', async () => {
    const other = await openTracer(spread.federation, { random: seededBytes('other') })
    await tracer.consent.give('spread')
    for (const one of [tracer, other]) {
      await inCafe(one)
      await one.report(newCode())
    }
    expect(bucketOf(0)).toBeGreaterThan(0)
    expect(bucketOf(1)).toBe(0)
    expect(slips().map((slip) => [slip!.period, slip!.bytes.length])).toEqual([
      [PERIOD, 104],
      [PERIOD, 104],
    ])
    expect(await ledger()).toEqual([PERIOD])
  })

  it('a report with a place, a report with nowhere and a plain sync send the same messages of the same lengths', async () => {
    const sent: string[][] = []
    for (const name of ['place', 'nowhere', 'plain']) {
      const messages: string[] = []
      const { dialer } = spread.federation
      const open = async () => {
        const session = await dialer.open()
        const request: typeof session.request = (peer, protocol, frame, options) => {
          messages.push(`${protocol.id} ${frame.length}`)
          return session.request(peer, protocol, frame, options)
        }
        return { ...session, request }
      }
      const one = await openTracer(spread.federation, { random: seededBytes('the same'), dialer: { ...dialer, open } })
      if (name === 'place') await one.consent.give('spread')
      await inCafe(one)
      await (name === 'plain' ? one.sync() : one.report(newCode()))
      sent.push(messages)
    }
    expect(slips().map((slip) => spread.open(slip!) > 0)).toEqual([true, false])
    expect(sent[0]!.length).toBeGreaterThan(4)
    expect(sent[1]).toEqual(sent[0])
    expect(sent[2]).toEqual(sent[0])
  })

  it('a person without a place, or outside the areas, contributes nowhere, which is paid for like a place', async () => {
    await tracer.consent.give('spread')
    await recordAll(tracer, [{ lat: -33, lng: 151, accuracyM: 5, at: spread.federation.clock.now() - MINUTE }])
    await tracer.report(newCode())
    expect(bucketOf(0)).toBe(0)
    expect(await ledger()).toEqual([PERIOD])
  })

  it('a mistyped code and a second report send the same slip byte for byte, and cost once', async () => {
    await tracer.consent.give('spread')
    await inCafe()
    await expect(tracer.report('0000-0000-0000-0000')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    await recordAll(tracer, [{ lat: -33, lng: 151, accuracyM: 5, at: spread.federation.clock.now() - 6 * MINUTE }])
    tracer = await openTracer(spread.federation, { storage, random: seededBytes('restarted') })
    await tracer.report(newCode())
    expect(slips()[1]).toEqual(slips()[0])
    expect(await ledger()).toEqual([PERIOD])
  })

  it('a batch whose answer was lost is sent again with its slip, and the charge was written with it', async () => {
    await tracer.consent.give('spread')
    await inCafe()
    await tracer.sync()
    const { intercept } = spread.federation
    spread.federation.intercept = async (...request) => {
      const answer = await intercept(...request)
      if (slips().length > 0) throw new Error('the process ends')
      return answer
    }
    await expect(tracer.report(newCode())).rejects.toThrow()
    expect(await ledger()).toEqual([PERIOD])
    spread.federation.intercept = intercept
    const before = slips().length
    tracer = await openTracer(spread.federation, { storage, random: seededBytes('restarted') })
    expect((await tracer.sync()).batches).toBeGreaterThan(0)
    // The central peer answers from its acknowledgement, so it has taken no other slip.
    expect(slips()).toHaveLength(before)
  })

  it('four periods of a year are paid for, and a fifth one says nowhere', async () => {
    await tracer.consent.give('spread')
    for (let i = 0; i < 5; i++) {
      await inCafe()
      await tracer.report(newCode())
      await nextPeriod()
    }
    expect(slips().map((slip) => spread.open(slip!) > 0)).toEqual([true, true, true, true, false])
    expect(await ledger()).toEqual([0, 1, 2, 3].map((i) => PERIOD + i))
  })

  it('the ledger goes with export and import, and a file from before the report does not empty it', async () => {
    const early = await tracer.export('a long passphrase')
    await tracer.consent.give('spread')
    await inCafe()
    await tracer.report(newCode())
    const late = await tracer.export('a long passphrase')
    await tracer.import(early, 'a long passphrase')
    expect(await ledger()).toEqual([PERIOD])
    storage = lastingStorage()
    tracer = await openTracer(spread.federation, { storage, random: seededBytes('new phone') })
    await tracer.import(late, 'a long passphrase')
    expect(await ledger()).toEqual([PERIOD])
    await tracer.report(newCode())
    expect(slips()[1]).toEqual(slips()[0])
  }, 60_000)

  it('an erasure ends the ledger together with the user', async () => {
    await tracer.consent.give('spread')
    await inCafe()
    await tracer.report(newCode())
    await tracer.eraseAll()
    expect(await ledger()).toEqual([])
    expect(await storage.get('meta/slip')).toBeUndefined()
  })

  it('a person who withdraws the consent sends nowhere from then on, also after agreeing again within the period', async () => {
    await tracer.consent.give('spread')
    await inCafe()
    await expect(tracer.report('0000-0000-0000-0000')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    await tracer.consent.withdraw('spread')
    await tracer.report(newCode())
    await tracer.consent.give('spread')
    await tracer.report(newCode())
    expect(slips().map((slip) => spread.open(slip!) > 0)).toEqual([true, false, false])
    expect(slips()[2]).toEqual(slips()[1])
  })

  it('without the keys of the period, and without a spread, a report carries no slip', async () => {
    spread.keysOf = () => []
    await tracer.consent.give('spread')
    await tracer.report(newCode())
    expect(slips()).toEqual([undefined])
    expect(await ledger()).toEqual([])
  })

  it('the preview of a report has no slip and costs nothing', async () => {
    await tracer.consent.give('spread')
    await tracer.sync()
    await tracer.preview()
    expect(await ledger()).toEqual([])
  })
})
