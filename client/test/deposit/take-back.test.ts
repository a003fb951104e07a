import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DepositedRows } from '../../src/deposit/deposited.ts'
import { rowsToTakeBack } from '../../src/deposit/take-back.ts'
import type { Fix } from '../../src/index.ts'
import { type FakeFederation, fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, diaryOf, HOUR, keysOf, lastingStorage, MINUTE, recordAll, uncut } from '../fixture.ts'

/** Epoch and hash of every row that the central peer has of the n-th user. */
function rowsOf(federation: FakeFederation, user: number): string[] {
  return [...([...federation.central.users.values()][user]?.rows.keys() ?? [])].sort()
}

/** The rows of a device that never had other fixes. */
async function rowsOfOnly(fixes: readonly Fix[]): Promise<string[]> {
  const federation = await fakeFederation()
  const tracer = await openTracer(federation)
  await recordAll(tracer, fixes)
  await tracer.sync()
  return rowsOf(federation, 0)
}

/** A stay in which neighbouring fixes share rows, and a walk. */
const HOURS = [...life(CAFE, START_MS - 70 * MINUTE, 60), ...life(CAFE, START_MS, 60, 0.0002)]

describe('a deleted fix', () => {
  it('the rule takes back a row exactly when no remaining fix has its hash', () => {
    const keys = fc.uniqueArray(fc.nat(40).map((n) => n.toString(16).padStart(24, '0')))
    fc.assert(
      fc.property(keys, keys, (known, remaining) => {
        const deposited: DepositedRows = new Map(
          known.map((key) => [key, { hash: Buffer.from(key, 'hex'), size: 5, lags: 1 }]),
        )
        const back = rowsToTakeBack(
          deposited,
          remaining.map((key) => ({ key })),
        )
        for (const key of known) expect(back.has(key)).toBe(!remaining.includes(key))
        for (const [key, row] of back) expect(row).toBe(deposited.get(key))
      }),
    )
  })

  it('after any deletions the central peer has the rows of a device that never had these fixes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -140, max: 0 }), { maxLength: 3 }),
        fc.boolean(),
        async (starts, first) => {
          const federation = await fakeFederation()
          const tracer = await openTracer(federation)
          await recordAll(tracer, HOURS)
          if (first) await tracer.sync()
          for (const start of starts) {
            const from = START_MS + start * MINUTE
            await tracer.deleteFixes({ from, until: from + 25 * MINUTE })
          }
          await tracer.sync()
          const left = HOURS.filter(({ at }) =>
            starts.every((start) => at < START_MS + start * MINUTE || at >= START_MS + (start + 25) * MINUTE),
          )
          expect(rowsOf(federation, 0)).toEqual(await rowsOfOnly(left))
          expect(federation.central.rowsTwice).toBe(0)
        },
      ),
      { numRuns: 12 },
    )
  })

  it('a deletion is counted, and the next syncs take its rows back once, also after a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const first = await openTracer(federation, { storage })
    await recordAll(first, HOURS)
    const { rowsDeposited } = await first.sync()
    expect(await first.deleteFixes({ from: START_MS - HOUR, until: START_MS })).toBe(12)
    expect(await first.deleteFixes({ from: START_MS - HOUR, until: START_MS })).toBe(0)
    expect((await diaryOf(first)).length).toBe(12)
    const second = await openTracer(federation, { storage })
    const result = await second.sync()
    expect(result.rowsTakenBack).toBeGreaterThan(100)
    expect(result).toMatchObject({ rowsDeposited: 0, hashesNew: 0, rowsLost: 0 })
    expect(rowsOf(federation, 0)).toHaveLength(rowsDeposited - result.rowsTakenBack)
    expect((await second.sync()).rowsTakenBack).toBe(0)
    expect((await keysOf(storage)).filter((key) => key.startsWith('take-back/'))).toEqual([])
    expect(federation.central.rowsTwice).toBe(0)
  })

  it('the rows of a fix that is deleted while its batch is on its way are taken back after the answer', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, HOURS)
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await tracer.deleteFixes({ from: 0, until: START_MS + HOUR })
    expect(await diaryOf(tracer)).toEqual([])
    uncut(federation)
    const result = await tracer.sync()
    expect(result.rowsTakenBack).toBe(result.rowsDeposited)
    expect(result.rowsDeposited).toBeGreaterThan(100)
    expect(rowsOf(federation, 0)).toEqual([])
  })

  it('a stay of many days ago is taken back, and one that the retention erased there is not asked for again', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, HOURS)
    await tracer.sync()
    await federation.clock.advanceTo(START_MS + 100 * HOUR)
    await tracer.deleteFixes({ from: 0, until: START_MS - 65 * MINUTE })
    expect((await tracer.sync()).rowsTakenBack).toBeGreaterThan(0)
    await tracer.deleteFixes({ from: 0, until: START_MS + HOUR })
    federation.central.refuse = () => 'too-old'
    expect(await tracer.sync()).toMatchObject({ rowsTakenBack: 0, rowsLost: 0 })
    federation.central.refuse = () => undefined
    const before = federation.central.requests.length
    await tracer.sync()
    expect(federation.central.requests.slice(before).flatMap(({ groups }) => groups)).toEqual([])
  })

  it('a hashed fix that a new zone drops leaves no row at the central peer, of no epoch', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    await tracer.home.mark({ lat: 52.4, lng: 13.6 })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    const current = Math.floor(START_MS / EPOCH_MS)
    federation.central.refuse = ({ epoch }) => (epoch > current ? 'too-new' : undefined)
    const { rowsDeposited } = await tracer.sync()
    expect(rowsDeposited).toBeGreaterThan(0)
    await tracer.zones.add({ ...CAFE, radiusM: 300 })
    federation.central.refuse = () => undefined
    expect(await tracer.sync()).toMatchObject({ fixesRedacted: 6, rowsTakenBack: rowsDeposited, rowsDeposited: 0 })
    expect(rowsOf(federation, 0)).toEqual([])
  })
})
