/** Thirty days of one device on a simulated clock, with hourly syncs, lost replies and restarts. */
import { expect, it } from 'vitest'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import type { Storage } from '../src/storage/storage.ts'
import { fakeFederation, openTracer, START_MS, seededBytes, unreachable } from '../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../src/testing/fake-relay.ts'

const HOUR = 60 * 60_000
const FIX_MS = 5 * 60_000
const DAYS = 30
/** 18 epochs a day, and the epochs of the deposit window. */
const RESERVE_EPOCHS = 18 * (DAYS + 2)

async function countEntries(storage: Storage): Promise<number> {
  let count = 0
  for await (const _ of storage.range('')) count++
  return count
}

it('the storage stays flat over a month, and nothing is lost or deposited twice', { timeout: 600_000 }, async () => {
  const federation = await fakeFederation({ reserveEpochs: RESERVE_EPOCHS, retentionDays: 14 })
  const storage = { ...memoryStorage(), close: async () => {} }
  const random = seededBytes('month')
  let chance = 0
  federation.intercept = async (_peer, protocol, frame, serve) => {
    const [dice] = random(1) as unknown as [number]
    if (dice < 12) return unreachable()
    const reply = await serve(frame)
    // Sometimes the central peer took the deposit and its reply is lost.
    if (protocol.id === OPENED_SYNC.id && dice < 24) return unreachable()
    return reply
  }
  let tracer = await openTracer(federation, { storage })
  const sizes: number[] = []
  let [recorded, lost, failed] = [0, 0, 0]
  for (let hour = 0; hour < DAYS * 24; hour++) {
    for (let i = 0; i < 12; i++) {
      const at = START_MS + hour * HOUR + i * FIX_MS
      await federation.clock.advanceTo(at)
      chance++
      const result = await tracer.record({ lat: 52.5 + (chance % 288) * 1e-4, lng: 13.4, accuracyM: 5, at })
      if (result.accepted) recorded++
    }
    if (hour % 37 === 0) tracer = await openTracer(federation, { storage, random: seededBytes(`again ${hour}`) })
    try {
      lost += (await tracer.sync()).fixesLost
    } catch {
      failed++
    }
    if (hour % 24 === 23) sizes.push(await countEntries(storage))
  }
  federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
  await federation.clock.advanceTo(START_MS + DAYS * 24 * HOUR)
  await tracer.sync()
  expect(recorded).toBe(DAYS * 24 * 12)
  expect(failed).toBeGreaterThan(10)
  expect(lost).toBe(0)
  expect(federation.central.rowsTwice).toBe(0)
  const { totals, fixesWaiting, frozenBytes } = await tracer.preview()
  expect({ ...totals, rowsDeposited: 0 }).toEqual({ fixesLost: 0, fixesAhead: 0, rowsLost: 0, rowsDeposited: 0 })
  expect([fixesWaiting, frozenBytes]).toEqual([0, 0])
  const stored = [...federation.central.users.values()].reduce((sum, { rows }) => sum + rows.size, 0)
  expect(stored).toBeGreaterThan(DAYS * 24 * 12)
  // Retention is fourteen days. From then on as many entries are removed as added.
  const settled = sizes.slice(16)
  expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(0.02 * Math.max(...settled))
})
