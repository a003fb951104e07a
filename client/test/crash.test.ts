import { decodeSyncRequest, SALT_PROTOCOL, syncContent } from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isFederationError } from '../src/index.ts'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import type { Storage } from '../src/storage/storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../src/testing/fake-relay.ts'

const MINUTE = 60_000
/** Random lives of a device; `npm run test:properties` draws ten times as many. */
const RUNS = 25
const CODE = '0123-4567-89AB-CDEF'
const CODE_HEX = '00443214c74254b635cf'

class Crash extends Error {}

/** Loses power at the batch with number `at`. This batch and all later ones never reach the disk. */
function failingStorage(disk: Storage, at: number): Storage & { batches: () => number } {
  let count = 0
  return {
    ...disk,
    async batch(operations) {
      if (++count >= at) throw new Crash(`power lost at batch ${count}`)
      await disk.batch(operations)
    },
    close: async () => {},
    batches: () => count,
  }
}

/** A morning of four syncs, one of them a report. After a failure the tracer is opened and called again. */
async function live(federation: FakeFederation, disk: Storage, crashes: number[]): Promise<void> {
  let batches = 0
  const left = [...crashes]
  async function attempt(task: (tracer: Awaited<ReturnType<typeof openTracer>>) => Promise<unknown>): Promise<void> {
    for (let i = 0; i < 20; i++) {
      const storage = failingStorage(disk, left.shift() ?? Number.POSITIVE_INFINITY)
      try {
        const tracer = await openTracer(federation, {
          storage,
          random: seededBytes(`process ${left.length}/${i}/${batches}`),
        })
        await task(tracer)
        batches += storage.batches()
        return
      } catch (error) {
        if (!(error instanceof Crash) && !isFederationError(error)) throw error
      }
    }
    throw new Error('never got through')
  }
  for (let step = 0; step < 4; step++) {
    const now = START_MS + step * 40 * MINUTE
    await federation.clock.advanceTo(now)
    await attempt(async (tracer) => {
      for (const fix of life({ lat: 52.52 + step * 0.01, lng: 13.4 }, now, 40, 0.0005)) await tracer.record(fix)
    })
    if (step === 2) {
      await attempt((tracer) =>
        tracer.report(CODE).catch((error) => {
          // The reply that was lost had accepted the code.
          if (!isFederationError(error, 'CODE_SPENT')) throw error
        }),
      )
    } else await attempt((tracer) => tracer.sync())
  }
  await attempt((tracer) => tracer.sync())
}

/** The rows that the central peer holds, without their users. */
function rowsOf(federation: FakeFederation): string[] {
  const users = [...federation.central.users.values()]
  return users.flatMap(({ rows }) => [...rows].map(([key, { size, lags }]) => `${key}/${size}/${lags}`)).sort()
}

async function undisturbedRows(): Promise<string[]> {
  const federation = await fakeFederation()
  federation.central.codes.set(CODE_HEX, 'accepted')
  await live(federation, memoryStorage(), [])
  return rowsOf(federation)
}

describe('a device that loses power', () => {
  let calm: string[]
  beforeAll(async () => {
    calm = await undisturbedRows()
  })

  it('a device that loses power at any one batch loses nothing, deposits nothing twice and reports once', async () => {
    expect(calm.length).toBeGreaterThan(600)
    for (let step = 0; step < 9; step++) {
      // Recording writes one equal batch a fix; a sync writes three to six different ones.
      for (const at of step % 2 === 0 ? [1, 4, 8] : [1, 2, 3, 4, 5, 6]) {
        const federation = await fakeFederation()
        federation.central.codes.set(CODE_HEX, 'accepted')
        await live(federation, memoryStorage(), [...new Array<number>(step).fill(Number.POSITIVE_INFINITY), at])
        expect(rowsOf(federation)).toEqual(calm)
        expect(federation.central.rowsTwice).toBe(0)
        expect(federation.central.users.size).toBe(1)
        expect(federation.central.codes.get(CODE_HEX)).toBe('code-spent')
      }
    }
  })

  it('a device that loses power and connections at random loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 14 }), { maxLength: 8 }),
        fc.infiniteStream(fc.constantFrom('pass', 'pass', 'pass', 'before', 'after')),
        async (crashes, fates) => {
          const federation = await fakeFederation()
          federation.central.codes.set(CODE_HEX, 'accepted')
          let cuts = 0
          federation.intercept = async (_peer, protocol, frame, serve) => {
            const fate = cuts < 6 && protocol.id !== SALT_PROTOCOL.id ? fates.next().value : 'pass'
            if (fate !== 'pass') cuts++
            if (fate === 'before') return unreachable()
            const reply = await serve(frame)
            return fate === 'after' ? unreachable() : reply
          }
          await live(federation, memoryStorage(), crashes)
          expect(rowsOf(federation)).toEqual(calm)
          expect(federation.central.rowsTwice).toBe(0)
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('a device whose answer was lost sends the same content again after a restart', async () => {
    const federation = await fakeFederation()
    const disk = memoryStorage()
    const storage = { ...disk, close: async () => {} }
    const frames: string[] = []
    let cut = true
    federation.intercept = async (_peer, protocol, frame, serve) => {
      if (protocol.id !== OPENED_SYNC.id) return serve(frame)
      // A device without a proof of the time first asks for it by an empty sync.
      const { groups } = decodeSyncRequest(frame, federation.manifest.parameters.syncRequestBytes)
      if (groups.length > 0) frames.push(Buffer.from(syncContent(frame)).toString('hex'))
      const reply = await serve(frame)
      return cut ? unreachable() : reply
    }
    const first = await openTracer(federation, { storage })
    for (const fix of life({ lat: 52.52, lng: 13.4 }, START_MS, 30)) await first.record(fix)
    await expect(first.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect((await first.preview()).frozenBytes).toBeGreaterThan(0)
    cut = false
    const before = frames.length
    const second = await openTracer(federation, { storage, random: seededBytes('another process') })
    const result = await second.sync()
    expect(frames.length).toBe(before + 1)
    expect(new Set(frames).size).toBe(1)
    expect(result.rowsDeposited).toBeGreaterThan(0)
    expect(federation.central.requests.filter(({ groups }) => groups.length > 0).length).toBe(1)
    expect((await second.preview()).frozenBytes).toBe(0)
  })
})
