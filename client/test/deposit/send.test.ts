import {
  busy,
  bytesToHex,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  type Protocol,
  RELAY_PROTOCOL,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import {
  type FakeFederation,
  fakeFederation,
  type Intercept,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, lastingStorage, MINUTE, recordAll, reseal } from '../fixture.ts'

const AUTHORITY = 'office'
const refusal = (error: FederationError) => encodeRefusal(errorToRefusal(error))

/** Every request to a peer, by name and protocol; `relay` answers for a relay. */
function watch(federation: FakeFederation, relay?: Intercept) {
  const seen: { peer: string; protocol: string; frame: Uint8Array }[] = []
  federation.intercept = (peer, protocol: Protocol, frame, serve) => {
    seen.push({ peer, protocol: protocol.id, frame })
    return protocol.id === RELAY_PROTOCOL.id && relay ? relay(peer, protocol, frame, serve) : serve(frame)
  }
  const of = ({ id }: Protocol) => seen.filter(({ protocol }) => protocol === id)
  return { seen, of }
}
async function ready(parameters = {}, init = {}) {
  const federation = await fakeFederation(parameters)
  const tracer = await openTracer(federation, init)
  await recordAll(tracer, life(CAFE, START_MS, 30))
  return { federation, tracer }
}

describe('a sync through a relay', () => {
  it('no request of a device goes to the central peer, and each frame is sealed anew', async () => {
    const { federation, tracer } = await ready()
    const { seen, of } = watch(federation)
    expect((await tracer.sync()).rowsDeposited).toBeGreaterThan(0)
    await tracer.eraseAll()
    expect(seen.filter(({ peer, protocol }) => peer === AUTHORITY && protocol !== OPENED_SYNC.id)).toEqual([])
    expect(of(OPENED_SYNC).length).toBeGreaterThanOrEqual(2)
    expect(of(RELAY_PROTOCOL)).toHaveLength(of(OPENED_SYNC).length)
    const keys = of(RELAY_PROTOCOL).map(({ frame }) => bytesToHex(frame.subarray(1, 33)))
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('the relay replicates no shard of the sync where a member does not, over many devices each of these members', async () => {
    const relays = new Set<string>()
    for (let i = 0; i < 24; i++) {
      const { federation, tracer } = await ready({ replicas: 2 }, { random: seededBytes(`device ${i}`) })
      const { of } = watch(federation)
      const result = await tracer.sync()
      expect(result.relayShared).toBe(false)
      const own = new Set(of(RELAY_PROTOCOL).map(({ peer }) => peer))
      expect(own.size).toBe(1)
      for (const peer of own) relays.add(peer)
      const asked = new Set(federation.answered.map(({ peer }) => peer))
      expect([...own].filter((peer) => asked.has(peer))).toEqual([])
      expect((await tracer.protection()).situation.isRelayShared).toBe(false)
    }
    expect(relays.size).toBeGreaterThan(1)
  })

  it('a federation whose members all replicate each shard takes any member, and the device says so', async () => {
    const { federation, tracer } = await ready({ replicas: 5 })
    expect((await tracer.sync()).relayShared).toBe(true)
    expect((await tracer.protection()).situation.isRelayShared).toBe(true)
    // A sync that asks for no secrets shares nothing with its relay.
    await federation.clock.advanceTo(START_MS + MINUTE)
    expect((await tracer.sync()).relayShared).toBe(false)
    expect((await tracer.protection()).situation.isRelayShared).toBe(false)
  })

  it('a relay that is down, busy, swaps or cuts replies is replaced, and what it took is not deposited twice', async () => {
    const other = await ready()
    let swapped = new Uint8Array(0)
    const kept = watch(other.federation, async (_peer, _protocol, frame, serve) => {
      swapped = Uint8Array.from(await serve(frame))
      return swapped
    })
    await other.tracer.sync()
    expect(kept.seen.length).toBeGreaterThan(0)
    const lies: Intercept[] = [
      () => unreachable(),
      async () => refusal(busy()),
      async () => refusal(new FederationError('FORBIDDEN', 'no member any more')),
      async (_peer, _protocol, frame, serve) => (await serve(frame)).subarray(0, 40),
      async (_peer, _protocol, frame, serve) => {
        await serve(frame)
        return swapped
      },
      async () => new Uint8Array(0),
    ]
    for (const lie of lies) {
      const { federation, tracer } = await ready()
      let bad: string | undefined
      const { of } = watch(federation, (peer, protocol, frame, serve) => {
        bad ??= peer
        return peer === bad ? lie(peer, protocol, frame, serve) : serve(frame)
      })
      expect((await tracer.sync()).rowsDeposited).toBeGreaterThan(0)
      expect(federation.central.rowsTwice).toBe(0)
      expect(federation.central.users.size).toBe(1)
      // It is left out for the rest of the sync. Bytes that do not open are tried a second time with the newest key.
      expect(of(RELAY_PROTOCOL).filter(({ peer }) => peer === bad).length).toBeLessThanOrEqual(2)
    }
  })

  it('a sync fails with the error of the last relay after four of them, and keeps its batch', async () => {
    const { federation, tracer } = await ready()
    const { of } = watch(federation, async () => refusal(busy()))
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'BUSY' })
    expect(new Set(of(RELAY_PROTOCOL).map(({ peer }) => peer)).size).toBe(4)
    expect(of(RELAY_PROTOCOL)).toHaveLength(4)
    watch(federation)
    expect((await tracer.sync()).rowsDeposited).toBeGreaterThan(0)
  })

  it('a refusal of the central peer under the seal is final, and no other relay is tried', async () => {
    const { federation, tracer } = await ready()
    federation.central.serve = () => {
      throw busy()
    }
    const { of } = watch(federation)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'BUSY' })
    expect(of(RELAY_PROTOCOL)).toHaveLength(1)
  })
})

describe('a device with an old seal key', () => {
  it('a device that holds the roster before fetches the newest one after SEAL_UNKNOWN and sends again', async () => {
    const { federation, tracer } = await ready({ periodEpochs: 1 })
    let isResealed = false
    const { of } = watch(federation, (_peer, _protocol, frame, serve) => {
      // The roster comes while the sync is under way.
      if (!isResealed) reseal(federation)
      isResealed = true
      return serve(frame)
    })
    expect((await tracer.sync()).batches).toBeGreaterThan(0)
    expect(of(ROSTER_PROTOCOL).length).toBeGreaterThan(1)
    expect(federation.central.requests.length).toBeGreaterThan(0)
  })

  it('a relay that claims an unknown key costs one look at the rosters, and another relay takes the frame', async () => {
    const { federation, tracer } = await ready()
    let bad: string | undefined
    const { of } = watch(federation, async (peer, _protocol, frame, serve) => {
      bad ??= peer
      return peer === bad ? refusal(new FederationError('SEAL_UNKNOWN', 'a lie')) : serve(frame)
    })
    expect((await tracer.sync()).rowsDeposited).toBeGreaterThan(0)
    expect(of(RELAY_PROTOCOL).filter(({ peer }) => peer === bad)).toHaveLength(2)
  })
})

describe('the minute of a sync', () => {
  it('a device without a proof of the time asks for it as nobody before it erases, and a clock that was set is no obstacle', async () => {
    const storage = lastingStorage()
    const { federation, tracer } = await ready({}, { storage })
    await tracer.sync()
    await federation.clock.advanceTo(START_MS + 5 * 60 * MINUTE)
    const { of } = watch(federation)
    const again = await openTracer(federation, { storage, random: seededBytes('later') })
    await again.eraseAll()
    const [question, erasure, ...rest] = federation.central.requests.slice(-of(OPENED_SYNC).length)
    expect(rest).toEqual([])
    expect(question).toMatchObject({ minute: 0, report: { kind: 'none' }, groups: [] })
    expect(erasure).toMatchObject({ minute: Math.floor(federation.clock.now() / MINUTE), report: { kind: 'erase' } })
    expect(bytesToHex(question!.userSecret)).not.toBe(bytesToHex(erasure!.userSecret))
    expect(federation.central.users.size).toBe(0)
  })

  it('a clock that jumps by half an hour after the proof costs one question', async () => {
    const { federation, tracer } = await ready()
    await tracer.sync()
    // The device's clock moves, and the federation's does not.
    const { clock } = federation
    const serve = federation.central.serve
    federation.central.serve = (frame, nowMs) => serve(frame, nowMs - 30 * MINUTE)
    await clock.advanceTo(START_MS + 30 * MINUTE)
    const before = federation.central.requests.length
    await tracer.eraseAll()
    const minutes = federation.central.requests.slice(before).map(({ minute }) => minute)
    expect(minutes).toEqual([0, Math.floor(START_MS / MINUTE)])
  })
})
