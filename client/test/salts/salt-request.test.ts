import * as wire from '@geotrace/core-wasm/wire'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededRandom,
  unreachable,
} from '../../src/testing/index.ts'
import { recordAll } from '../record-all.ts'

const CAFE = { lat: 52.52, lng: 13.405 }
const refusal = (error: unknown) => async () => wire.encodeRefusal(wire.errorToRefusal(error))

/** What a node may do to one device and not to another; each must cost it no more than a question to the next. */
const UNKIND: [what: string, answer: () => Promise<Uint8Array>][] = [
  ['is not there', unreachable],
  [
    'says nothing until the time is over',
    () => Promise.reject(new wire.FederationError('PEER_TIMEOUT', '', { peer: '' })),
  ],
  ['has too much to do', refusal(new wire.FederationError('BUSY', '', { retryAfterMs: 3_600_000 }))],
  ['says that the quota is spent', refusal(new wire.FederationError('QUOTA_SPENT', '', { retryAfterMs: 3_600_000 }))],
  ['does not want this one', refusal(new wire.FederationError('FORBIDDEN', ''))],
  ['knows no such roster', refusal(new wire.FederationError('ROSTER_UNKNOWN', ''))],
  ['does not hold the shard', refusal(new wire.FederationError('WRONG_SHARD', '', { shard: 0 }))],
  ['lost its secrets', refusal(new wire.FederationError('EPOCH_LOST', '', { epoch: 1 }))],
  ['has a wrong clock', refusal(new wire.FederationError('CLOCK_SKEWED', '', { offsetMs: 90_000 }))],
  ['finds every block too old', refusal(new wire.FederationError('BLOCK_TOO_OLD', '', { block: 1 }))],
  ['finds every block too new', refusal(new wire.FederationError('BLOCK_TOO_NEW', '', { block: 1 }))],
  ['speaks another version', refusal(new wire.FederationError('VERSION_UNKNOWN', '', { version: 2 }))],
  ['fails inside', refusal(new Error('no'))],
  ['answers with a status that nobody knows', async () => Uint8Array.of(77, 0, 0, 0, 0)],
  ['answers with nothing', async () => new Uint8Array(0)],
  ['answers with noise', async () => seededRandom('noise')(2_000)],
  ['says OK, and no more', async () => Uint8Array.of(0)],
]

describe('a device whose node', () => {
  for (const [what, answer] of UNKIND) {
    it(`${what} gets its salts from the next one, all of them`, async () => {
      const federation: FakeFederation = await fakeFederation({ shards: 1 })
      const tracer = await openTracer(federation, { random: seededRandom(what) })
      await recordAll(tracer, life(CAFE, START_MS, 30))
      const refusing = new Set<string>()
      federation.intercept = (peer, protocol, frame, serve) => {
        if (protocol.id !== SALT_PROTOCOL.id) return serve(frame)
        // Two of three do so, whoever is asked first.
        if (refusing.size < 2) refusing.add(peer)
        return refusing.has(peer) ? answer() : serve(frame)
      }
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, saltRequests: 3 })
      expect(refusing.size).toBe(2)
    })
  }

  it('and all others refuse it keeps its fixes, and has nothing that they could tell it from others by', async () => {
    const federation = await fakeFederation({ shards: 1 })
    const frames: string[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id !== SALT_PROTOCOL.id) return serve(frame)
      frames.push(Buffer.from(frame).toString('hex'))
      return unreachable()
    }
    const tracers = await Promise.all(['a', 'b'].map((name) => openTracer(federation, { random: seededRandom(name) })))
    for (const tracer of tracers) {
      await recordAll(tracer, life(CAFE, START_MS, 30))
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, fixesDeferred: 6, fixesLost: 0 })
    }
    // Two devices with fixes at the same times ask in the same bytes.
    expect(frames).toHaveLength(6)
    expect(new Set(frames).size).toBe(1)
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    for (const tracer of tracers) expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
  })
})
