import { blockToState, ROSTER_PROTOCOL, ROWS_PER_EPOCH_MAX, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import { fakeFederation, life, openTracer, START_MS, unreachable } from '../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../src/testing/fake-relay.ts'
import { CAFE, cut, MINUTE, recordAll, uncut } from './fixture.ts'

describe('sync', () => {
  it('a sync brings an hour of fixes to the central peer and asks for each salt once', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60, 0.0003))
    const first = await tracer.sync()
    expect(first.fixesHashed).toBe(12)
    expect(first.points).toBeGreaterThan(200)
    expect(first.rowsDeposited).toBe(first.hashesNew)
    expect(first.rowsDeposited).toBeGreaterThan(200)
    expect(first.saltsReused).toBe(0)
    expect(first.bytesUp).toBeGreaterThan(2048)
    const [user] = federation.central.users.values()
    expect(user!.rows.size).toBe(first.rowsDeposited)

    await federation.clock.advanceTo(START_MS + 60 * MINUTE)
    await recordAll(tracer, life(CAFE, START_MS + 60 * MINUTE, 60, 0.0003))
    const second = await tracer.sync()
    expect(second.fixesHashed).toBe(12)
    expect(second.saltsReused).toBeGreaterThan(0)
    expect(federation.central.rowsTwice).toBe(0)
    const salts = federation.answered.reduce((sum, item) => sum + item.salts, 0)
    expect(first.saltsAsked + second.saltsAsked).toBe(salts)
  })

  it('a sync without fixes sends the smallest frame to the central peer', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const sizes: number[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === OPENED_SYNC.id) sizes.push(frame.length)
      return serve(frame)
    }
    const result = await tracer.sync()
    expect(result).toMatchObject({ batches: 1, rowsDeposited: 0, saltRequests: 0, report: 'none' })
    expect(sizes).toEqual([2048])
  })

  it('a sync hashes the fixes of closed blocks only', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })
    expect((await tracer.sync()).fixesHashed).toBe(0)
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    expect((await tracer.sync()).fixesHashed).toBe(1)
  })

  it('a fix makes thirty rows, and a later fix in the same place deposits only what is new', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 5))
    expect(await tracer.sync()).toMatchObject({ points: 30, rowsDeposited: 30 })
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    await recordAll(tracer, life(CAFE, START_MS + 5 * MINUTE, 5))
    const second = await tracer.sync()
    // A row of the next block is now current and goes out again with its new lag. Known rows stay here.
    expect(second.rowsDeposited).toBeLessThan(30)
    expect(second.hashesNew).toBeLessThan(second.rowsDeposited)
    expect(federation.central.rowsTwice).toBe(0)
    const [user] = federation.central.users.values()
    expect([...user!.rows.values()].some((row) => row.lags === 3)).toBe(true)
  })

  it('a walk across the border of two regions asks both shards, for at most 90 salts a request', async () => {
    const federation = await fakeFederation({ shards: 5 })
    const tracer = await openTracer(federation)
    await recordAll(tracer, life({ lat: 46, lng: 14 }, START_MS, 175, 0.02))
    const requests: { shard: number; blocks: number }[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SALT_PROTOCOL.id) requests.push({ shard: (frame[10]! << 8) | frame[11]!, blocks: frame[12]! })
      return serve(frame)
    }
    const result = await tracer.sync()
    expect(result.fixesHashed).toBe(35)
    expect(new Set(requests.map((item) => item.shard)).size).toBeGreaterThan(1)
    expect(Math.max(...requests.map((item) => item.blocks))).toBeLessThanOrEqual(90)
    expect(result.saltRequests).toBe(requests.length)
  })

  it('fixes older than three hours are lost whole and counted once', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60))
    await federation.clock.advanceTo(START_MS + 240 * MINUTE)
    expect(await tracer.sync()).toMatchObject({ fixesLost: 12, fixesHashed: 0, rowsDeposited: 0, fixesDeferred: 0 })
    expect((await tracer.preview()).totals.fixesLost).toBe(12)
    expect(await tracer.sync()).toMatchObject({ fixesLost: 0 })
  })

  it('fixes wait while all replicas of their shard are down, and are deposited later', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60))
    cut(federation, SALT_PROTOCOL)
    const down = await tracer.sync()
    expect(down).toMatchObject({ fixesDeferred: 12, fixesHashed: 0, batches: 1, saltsAsked: 0 })
    expect(down.saltRequests).toBe(3)
    uncut(federation)
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0, fixesHashed: 12 })
  })

  it('a sync asks the next replica when the quota of one is spent', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    federation.quota = 0
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 6, saltRequests: 3 })
    federation.quota = 60
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
    expect(federation.answered.length).toBe(1)
  })

  it('a fix at the edge of the window does not spoil the others when the clock of the node is ahead', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 180))
    await federation.clock.advanceTo(START_MS + 5 * MINUTE - 20_000)
    const oldest = Math.floor((START_MS - 180 * MINUTE) / (5 * MINUTE))
    const refusing = START_MS + 5 * MINUTE + 10_000
    expect(blockToState(5, oldest, federation.clock.now())).toBe('open')
    federation.intercept = async (_peer, protocol, frame, serve) => {
      if (protocol.id !== SALT_PROTOCOL.id) return serve(frame)
      const asksOldest = [...Array(frame[12]!).keys()].some((i) => {
        const at = 13 + 5 * i
        const n = new DataView(frame.buffer, frame.byteOffset).getUint32(at + 1)
        return blockToState(frame[at]!, n, refusing) === 'too-old'
      })
      return asksOldest ? Uint8Array.of(5, 0, 0, 0, 1) : serve(frame)
    }
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 35, fixesDeferred: 1 })
  })

  it('all syncs together deposit at most 480 rows of an epoch', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    for (let hour = 0; hour < 6; hour++) {
      const from = { lat: CAFE.lat + hour * 0.02, lng: CAFE.lng }
      await recordAll(tracer, life(from, federation.clock.now(), 60, 0.001))
      await tracer.sync()
      await federation.clock.advanceTo(federation.clock.now() + 60 * MINUTE)
    }
    const perEpoch = new Map<number, number>()
    const [user] = federation.central.users.values()
    for (const { epoch } of user!.rows.values()) perEpoch.set(epoch, (perEpoch.get(epoch) ?? 0) + 1)
    expect(Math.max(...perEpoch.values())).toBe(ROWS_PER_EPOCH_MAX)
    expect(federation.central.rowsTwice).toBe(0)
  })

  it('rows that do not fit the largest size class go in further batches', async () => {
    const federation = await fakeFederation({ syncRequestBytes: [1024, 2048] })
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60, 0.001))
    const result = await tracer.sync()
    expect(result.batches).toBeGreaterThan(2)
    expect(result.rowsDeposited).toBe(result.points)
    expect((await tracer.preview()).epochs).toEqual([])
  })

  it('calls during a sync share its result, and an aborted sync loses nothing', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30, 0.001))
    const [a, b] = await Promise.all([tracer.sync(), tracer.sync()])
    expect(a).toBe(b)
    await federation.clock.advanceTo(START_MS + 30 * MINUTE)
    await recordAll(tracer, life(CAFE, START_MS + 30 * MINUTE, 30, 0.001))
    const controller = new AbortController()
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SALT_PROTOCOL.id) controller.abort()
      return serve(frame)
    }
    await expect(tracer.sync({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await tracer.sync()).toMatchObject({ rowsLost: 0 })
    const [user] = federation.central.users.values()
    expect(user!.rows.size).toBeGreaterThan(150)
    expect(federation.central.rowsTwice).toBe(0)
  })

  it('a better fix that comes while its salts are requested waits for the next sync', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const [fix] = life(CAFE, START_MS, 5)
    await tracer.record(fix!)
    federation.intercept = async (_peer, protocol, frame, serve) => {
      if (protocol.id === SALT_PROTOCOL.id) await tracer.record({ ...fix!, lat: fix!.lat + 0.01, accuracyM: 3 })
      return serve(frame)
    }
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, rowsDeposited: 0 })
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 1, rowsDeposited: 30 })
  })
})

describe('the roster', () => {
  it('a roster is fetched from the next entry when one lies, is down or answers nothing, and each sync asks once for news', async () => {
    const federation = await fakeFederation()
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage, federation: JSON.stringify(federation.manifest) })
    let asked = 0
    federation.intercept = async (_peer, protocol, frame, serve) => {
      if (protocol.id !== ROSTER_PROTOCOL.id) return serve(frame)
      asked++
      if (asked === 1) return unreachable()
      const reply = await serve(frame)
      if (asked === 2) reply[reply.length - 20]! ^= 1
      return asked === 3 ? reply.slice(0, 1) : reply
    }
    await tracer.sync()
    // Three requests in vain, the founding roster, and no roster after it.
    expect(asked).toBe(5)
    const again = await openTracer(federation, { storage })
    for (const next of [tracer, again]) await next.sync()
    expect(asked).toBe(7)
  })

  it('a sync without any valid roster fails with PEER_UNREACHABLE and loses nothing', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.intercept = () => unreachable()
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', data: { tried: 5 } })
    uncut(federation)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
  })
})

describe('the next sync', () => {
  it('a result names when the oldest waiting fix is lost, and when a node that asked for a pause may be asked again', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })
    expect((await tracer.sync()).next).toEqual({ allowedAt: START_MS, dueAt: START_MS + 170 * MINUTE })
    federation.quota = 0
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect((await tracer.sync()).next).toEqual({
      allowedAt: START_MS + MINUTE,
      dueAt: START_MS - 30 * MINUTE + 170 * MINUTE,
    })
    federation.quota = Number.POSITIVE_INFINITY
    await federation.clock.advanceTo(START_MS + 6 * MINUTE)
    expect((await tracer.sync()).next).toEqual({ allowedAt: START_MS + 6 * MINUTE, dueAt: undefined })
  })
})
