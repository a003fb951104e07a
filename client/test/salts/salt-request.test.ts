import * as wire from '@geotrace/core-wasm/wire'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, recordAll, uncut } from '../fixture.ts'

const refusal = (error: unknown) => async () => wire.encodeRefusal(wire.errorToRefusal(error))

/** Refusals that a salt node may give to one device only. Each must cost the device no more than one request. */
const UNKIND: [what: string, answer: () => Promise<Uint8Array>][] = [
  ['is unreachable', unreachable],
  ['does not answer in time', () => Promise.reject(new wire.FederationError('PEER_TIMEOUT', '', { peer: '' }))],
  ['is busy', refusal(new wire.FederationError('BUSY', '', { retryAfterMs: 3_600_000 }))],
  ['says that the quota is spent', refusal(new wire.FederationError('QUOTA_SPENT', '', { retryAfterMs: 3_600_000 }))],
  ['forbids the request', refusal(new wire.FederationError('FORBIDDEN', ''))],
  ['knows no such roster', refusal(new wire.FederationError('ROSTER_UNKNOWN', ''))],
  ['does not hold the shard', refusal(new wire.FederationError('WRONG_SHARD', '', { shard: 0 }))],
  ['has lost its secrets', refusal(new wire.FederationError('EPOCH_LOST', '', { epoch: 1 }))],
  ['has a wrong clock', refusal(new wire.FederationError('CLOCK_SKEWED', '', { offsetMs: 90_000 }))],
  ['calls every block too old', refusal(new wire.FederationError('BLOCK_TOO_OLD', '', { block: 1 }))],
  ['calls every block too new', refusal(new wire.FederationError('BLOCK_TOO_NEW', '', { block: 1 }))],
  ['speaks another version', refusal(new wire.FederationError('VERSION_UNKNOWN', '', { version: 2 }))],
  ['fails internally', refusal(new Error('no'))],
  ['answers with an unknown status', async () => Uint8Array.of(77, 0, 0, 0, 0)],
  ['answers with no bytes', async () => new Uint8Array(0)],
  ['answers with noise', async () => seededBytes('noise')(2_000)],
  ['answers OK and nothing more', async () => Uint8Array.of(0)],
]

describe('a salt node that refuses', () => {
  for (const [what, answer] of UNKIND) {
    it(`a device whose salt node ${what} gets all its salts from the next one`, async () => {
      const federation: FakeFederation = await fakeFederation({ shards: 1 })
      const tracer = await openTracer(federation, { random: seededBytes(what) })
      await recordAll(tracer, life(CAFE, START_MS, 30))
      const refusing = new Set<string>()
      federation.intercept = (peer, protocol, frame, serve) => {
        if (protocol.id !== SALT_PROTOCOL.id) return serve(frame)
        // The two replicas that are asked first refuse.
        if (refusing.size < 2) refusing.add(peer)
        return refusing.has(peer) ? answer() : serve(frame)
      }
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, saltRequests: 3 })
      expect(refusing.size).toBe(2)
    })
  }

  it('a device that all nodes refuse keeps its fixes, and its requests are equal to those of another device', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const frames: string[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id !== SALT_PROTOCOL.id) return serve(frame)
      frames.push(Buffer.from(frame).toString('hex'))
      return unreachable()
    }
    const tracers = await Promise.all(['a', 'b'].map((name) => openTracer(federation, { random: seededBytes(name) })))
    for (const tracer of tracers) {
      await recordAll(tracer, life(CAFE, START_MS, 30))
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, fixesDeferred: 6, fixesLost: 0 })
    }
    // Two devices with fixes at the same times ask in the same bytes.
    expect(frames).toHaveLength(6)
    expect(new Set(frames).size).toBe(1)
    uncut(federation)
    for (const tracer of tracers) expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
  })
})

describe('a salt node that lies', () => {
  it('any altered byte of an answer is detected, and the next replica gives the salts', async () => {
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
      const tracer = await openTracer(federation, { random: seededBytes(`lied to ${at}`) })
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

  it('a salt node that lied is not asked again by this tracer', async () => {
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
    uncut(federation)
    const later = await openTracer(federation)
    await recordAll(later, life(CAFE, START_MS, 30))
    expect(await later.sync()).toMatchObject({ fixesHashed: 6 })
  })
})
