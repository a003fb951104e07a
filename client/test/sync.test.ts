import {
  blockToState,
  EPOCH_MS,
  followingPeriod,
  ROSTER_PROTOCOL,
  ROWS_PER_EPOCH_MAX,
  SALT_PROTOCOL,
  SYNC_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import {
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededRandom,
  unreachable,
} from '../src/testing/fake-federation.ts'
import { recordAll } from './record-all.ts'

const CAFE = { lat: 52.52, lng: 13.405 }
const MINUTE = 60_000

describe('a sync', () => {
  it('brings an hour of fixes to the central peer and asks each salt once', async () => {
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

  it('contacts the central peer with the smallest frame when there is nothing to say', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const sizes: number[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SYNC_PROTOCOL.id) sizes.push(frame.length)
      return serve(frame)
    }
    const result = await tracer.sync()
    expect(result).toMatchObject({ batches: 1, rowsDeposited: 0, saltRequests: 0, report: 'none' })
    expect(sizes).toEqual([2048])
  })

  it('hashes only closed blocks', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })
    expect((await tracer.sync()).fixesHashed).toBe(0)
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    expect((await tracer.sync()).fixesHashed).toBe(1)
  })

  it('deposits thirty rows for one fix, and two fixes of one place share what is equal', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 5))
    expect(await tracer.sync()).toMatchObject({ points: 30, rowsDeposited: 30 })
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    await recordAll(tracer, life(CAFE, START_MS + 5 * MINUTE, 5))
    const second = await tracer.sync()
    // What was next became current: the row goes out again with its new lag; what is wholly known does not.
    expect(second.rowsDeposited).toBeLessThan(30)
    expect(second.hashesNew).toBeLessThan(second.rowsDeposited)
    expect(federation.central.rowsTwice).toBe(0)
    const [user] = federation.central.users.values()
    expect([...user!.rows.values()].some((row) => row.lags === 3)).toBe(true)
  })

  it('asks two shards for a walk across the border of regions, and at most 90 salts at a time', async () => {
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

  it('loses fixes whole after three hours and says how many', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60))
    await federation.clock.advanceTo(START_MS + 240 * MINUTE)
    expect(await tracer.sync()).toMatchObject({ fixesLost: 12, fixesHashed: 0, rowsDeposited: 0, fixesDeferred: 0 })
    expect((await tracer.preview()).totals.fixesLost).toBe(12)
    expect(await tracer.sync()).toMatchObject({ fixesLost: 0 })
  })

  it('defers fixes when all replicas are down and deposits them later', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60))
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SALT_PROTOCOL.id ? unreachable() : serve(frame)
    const down = await tracer.sync()
    expect(down).toMatchObject({ fixesDeferred: 12, fixesHashed: 0, batches: 1, saltsAsked: 0 })
    expect(down.saltRequests).toBe(3)
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0, fixesHashed: 12 })
  })

  it('goes to the next replica when one has given its quota', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    federation.quota = 0
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 6, saltRequests: 3 })
    federation.quota = 60
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
    expect(federation.answered.length).toBe(1)
  })

  it('does not let a fix at the edge of the window spoil the rest when the node is half a minute ahead', async () => {
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

  it('never puts more than 480 rows of an epoch on the wire over all syncs', async () => {
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

  it('sends what does not fit the largest class in further batches', async () => {
    const federation = await fakeFederation({ syncRequestBytes: [1024, 2048] })
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 60, 0.001))
    const result = await tracer.sync()
    expect(result.batches).toBeGreaterThan(2)
    expect(result.rowsDeposited).toBe(result.points)
    expect((await tracer.preview()).epochs).toEqual([])
  })

  it('is shared by calls that come while it runs, and can be aborted without loss', async () => {
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

  it('lets a better fix of a closed block in while the salts are on their way, and loses neither', async () => {
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

describe('a node that lies', () => {
  it('is found out by any altered byte of its answer, and the next replica is believed instead', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const rows = () => [...federation.central.users.values()].map((user) => [...user.rows.keys()].sort().join())
    const honest = await openTracer(federation)
    await recordAll(honest, life(CAFE, START_MS, 30))
    let length = 0
    federation.intercept = async (_peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      if (protocol.id === SALT_PROTOCOL.id) length = reply.length
      return reply
    }
    await honest.sync()
    let tried = 0
    for (let at = 0; at < length; at += 37) {
      const tracer = await openTracer(federation, { random: seededRandom(`lied to ${at}`) })
      await recordAll(tracer, life(CAFE, START_MS, 30))
      let asked = 0
      federation.intercept = async (_peer, protocol, frame, serve) => {
        const reply = await serve(frame)
        if (protocol.id === SALT_PROTOCOL.id && asked++ === 0) reply[at]! ^= 1
        return reply
      }
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, saltRequests: 2 })
      tried++
    }
    expect(tried).toBeGreaterThan(50)
    expect(new Set(rows()).size).toBe(1)
  })

  it('is not asked again by this process', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const tracer = await openTracer(federation)
    const asked: string[] = []
    federation.intercept = async (peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      if (protocol.id === SALT_PROTOCOL.id) {
        asked.push(peer)
        reply[200]! ^= 1
      }
      return reply
    }
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect(await tracer.sync()).toMatchObject({ nodesLied: 3, fixesDeferred: 6 })
    expect(await tracer.sync()).toMatchObject({ nodesLied: 0, saltRequests: 0, fixesDeferred: 6 })
    expect(new Set(asked).size).toBe(3)
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    const later = await openTracer(federation)
    await recordAll(later, life(CAFE, START_MS, 30))
    expect(await later.sync()).toMatchObject({ fixesHashed: 6 })
  })
})

describe('a refused group', () => {
  it('is salted again when its roster was not the one in force', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.central.refuse = () => 'roster'
    const refused = await tracer.sync()
    expect(refused).toMatchObject({ rowsDeposited: 0, fixesAgain: 6, rowsLost: 0 })
    expect(refused.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const again = await tracer.sync()
    expect(again.fixesHashed).toBe(6)
    expect(again.rowsDeposited).toBe(refused.rowsRefused)
  })

  it('is lost when its fixes are beyond the window by then', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.central.refuse = () => 'roster'
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? unreachable() : serve(frame)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await federation.clock.advanceTo(START_MS + 240 * MINUTE)
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    const result = await tracer.sync()
    expect(result).toMatchObject({ fixesAgain: 0, rowsDeposited: 0 })
    expect(result.rowsLost).toBe(result.rowsRefused)
    expect((await tracer.preview()).totals.rowsLost).toBe(result.rowsLost)
  })

  it('is counted lost when it is too old, and kept when it is too new', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 80, 0.001))
    const current = Math.floor(START_MS / EPOCH_MS)
    federation.central.refuse = ({ epoch }) => (epoch < current ? 'too-old' : epoch > current ? 'too-new' : undefined)
    const result = await tracer.sync()
    expect(result.rowsLost).toBeGreaterThan(0)
    expect(result.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const later = await tracer.sync()
    expect(later).toMatchObject({ rowsLost: 0, rowsRefused: 0, fixesHashed: 0 })
    expect(result.rowsDeposited + result.rowsLost + later.rowsDeposited).toBe(result.points)
  })
})

describe('the roster', () => {
  it('is fetched from the next entry when one lies, is down or has none, and not asked after before the next one is due', async () => {
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
    // Three in vain, and the founding roster.
    expect(asked).toBe(4)
    const again = await openTracer(federation, { storage })
    for (const next of [tracer, again]) await next.sync()
    expect(asked).toBe(4)
    await federation.clock.advanceTo(followingPeriod(federation.certified.roster) * EPOCH_MS)
    for (const next of [tracer, again]) await next.sync()
    expect(asked).toBe(6)
  })

  it('is missed by name when no entry has one that holds', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.intercept = () => unreachable()
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', data: { tried: 6 } })
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
  })
})

describe('the storage of a tracer', () => {
  it('belongs to one federation', async () => {
    const storage = memoryStorage()
    await openTracer(await fakeFederation(), { storage })
    const other = await fakeFederation({ retentionDays: 7 })
    await expect(openTracer(other, { storage })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })

  it('forgets what is older than the retention', async () => {
    const federation = await fakeFederation({ retentionDays: 1 })
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.sync()
    await federation.clock.advanceTo(START_MS + 28 * 60 * MINUTE)
    await tracer.sync()
    const left: string[] = []
    for await (const [key] of storage.range('')) left.push(key)
    expect(left.filter((key) => !key.startsWith('meta/') && !key.startsWith('roster/'))).toEqual([])
  })
})
