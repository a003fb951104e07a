/** How a device learns the keys of the spread, and what it does when it is shown two of them. PROTOCOL.md §9.10. */
import { bytesToHex, DAY_MS, decodeEvidence, decodeGossip, isProof } from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { formatReportCode, type Storage, type Tracer } from '../../src/index.ts'
import { readAskedKeys } from '../../src/spread/spread-records.ts'
import { fakeFederation, openTracer, seededBytes, unreachable } from '../../src/testing/fake-federation.ts'
import { CAFE, lastingStorage, MINUTE, recordAll } from '../fixture.ts'
import { PERIOD, type SpreadFederation, spreadFederation } from './spread-federation.ts'

const CODE = new Uint8Array(10).fill(7)

describe('the keys of the spread', () => {
  let spread: SpreadFederation
  let storage: Storage
  let tracer: Tracer
  beforeEach(async () => {
    spread = await spreadFederation()
    storage = lastingStorage()
    tracer = await openTracer(spread.federation, { storage })
    spread.federation.central.codes.set(bytesToHex(CODE), 'accepted')
  })
  const periods = async () => (await readAskedKeys(storage)).periods.map(({ period }) => period)
  const askers = () => [...new Set(spread.asked.map(({ peer }) => peer))]

  it('two members without a role are asked, once for each roster, whether the device reports or not', async () => {
    await tracer.sync()
    // On this day the roster of the next period is in force too.
    expect(await periods()).toEqual([PERIOD + 1, PERIOD])
    expect(askers()).toHaveLength(2)
    const drawn = [PERIOD, PERIOD + 1].flatMap((period) => spread.drawn(period))
    expect(askers().filter((peer) => drawn.includes(peer))).toEqual([])
    expect(spread.asked).toHaveLength(4)
    await tracer.sync()
    await tracer.report(formatReportCode(CODE))
    expect(spread.asked).toHaveLength(4)
    await spread.federation.clock.jumpTo(spread.federation.clock.now() + DAY_MS)
    await tracer.sync()
    expect(await periods()).toEqual([PERIOD + 2, PERIOD + 1])
    expect(spread.asked).toHaveLength(8)
  })

  it('while a key is missing, or only one member answers, the device keeps none and asks again with the next sync', async () => {
    spread.keysOf = (_peer, period) => spread.trueKeys(period).slice(0, 1)
    await tracer.sync()
    expect(await periods()).toEqual([])
    spread.keysOf = (_peer, period) => spread.trueKeys(period)
    const { intercept } = spread.federation
    let answered: string | undefined
    spread.federation.intercept = (peer, protocol, frame, serve) => {
      const before = spread.asked.length
      return intercept(peer, protocol, frame, serve).then((answer) => {
        if (spread.asked.length === before) return answer
        answered ??= peer
        return peer === answered ? answer : unreachable()
      })
    }
    await tracer.sync()
    expect(await periods()).toEqual([])
    spread.federation.intercept = intercept
    await tracer.sync()
    expect(await periods()).toEqual([PERIOD + 1, PERIOD])
  })

  it('a key that the drawn member did not sign counts as none', async () => {
    spread.keysOf = (_peer, period) =>
      spread.trueKeys(period).map((key) => ({ ...key, slipKey: seededBytes('forged')(32) }))
    await tracer.sync()
    expect(await periods()).toEqual([])
  })

  it.each([0, 1] as const)(
    'two keys of role %i: the device says nowhere, and tells both members who signed them',
    async (role) => {
      let first: string | undefined
      spread.keysOf = (peer, period) => {
        first ??= peer
        const keys = spread.trueKeys(period)
        if (peer !== first && period === PERIOD) keys[role] = spread.otherKey(role, period)
        return keys
      }
      await tracer.consent.give('spread')
      await recordAll(tracer, [{ ...CAFE, accuracyM: 5, at: spread.federation.clock.now() - MINUTE }])
      await tracer.report(formatReportCode(CODE))
      const submitted = spread.federation.submitted.map(({ peer, message }) => {
        const gossip = decodeGossip(message)
        return { peer, evidence: gossip.kind === 'evidence' ? decodeEvidence(gossip.evidence) : undefined }
      })
      expect(submitted.map(({ peer }) => peer).sort()).toEqual(askers().sort())
      for (const { evidence } of submitted) {
        expect(evidence).toMatchObject({ kind: 'spread-keys', period: PERIOD })
        expect(isProof(evidence!, () => undefined)).toBe(true)
      }
      const { report } = spread.federation.central.requests.at(-1)!
      expect(report.kind === 'code' && report.slip?.period).toBe(PERIOD)
      // The slip of a device that takes no part opens to nowhere for the holder of the first key.
      const [kept] = (await readAskedKeys(storage)).periods.filter(({ period }) => period === PERIOD)
      expect(kept!.isContradicted).toBe(true)
      if (report.kind === 'code') expect(spread.open(report.slip!)).toBe(0)
      expect(await storage.get('meta/ledger')).toBeUndefined()
    },
  )

  it('a key that changes between two rosters is a contradiction too', async () => {
    await tracer.sync()
    spread.keysOf = (_peer, period) => [spread.trueKeys(period)[0]!, spread.otherKey(1, period)]
    spread.federation.follow()
    await tracer.sync()
    expect((await readAskedKeys(storage)).periods.map(({ isContradicted }) => isContradicted)).toEqual([true, true])
    expect(spread.federation.submitted.length).toBeGreaterThan(0)
  })

  it('a federation without a spread is asked for no keys', async () => {
    const federation = await fakeFederation({ salting: 'plain' })
    const other = await openTracer(federation, { storage: lastingStorage() })
    await other.sync()
    expect(federation.submitted).toEqual([])
    expect(spread.asked).toEqual([])
  })
})
