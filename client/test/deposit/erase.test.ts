import { TEST_AUTHORITY, testSigner } from '@geotrace/core-wasm/testing'
import {
  EPOCH_MS,
  encodeChange,
  FederationError,
  manifestToId,
  newChange,
  SYNC_PROTOCOL,
  signChange,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { Dialer } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { recordAll } from '../record-all.ts'

const HERE = { lat: 52.52, lng: 13.405 }
const MOVED = '/ip4/127.0.0.1/tcp/9999'

/** The dialer of a federation, and the addresses at which the central peer was dialled. */
function watchCentral(federation: FakeFederation): { dialer: Dialer; dialled: string[] } {
  const dialled: string[] = []
  const dialer: Dialer = {
    async open() {
      const session = await federation.dialer.open()
      return {
        async request(peer, protocol, frame, options) {
          if (protocol.id === SYNC_PROTOCOL.id) dialled.push(peer.addresses.join())
          return session.request(peer, protocol, frame, options)
        },
        close: () => session.close(),
      }
    },
  }
  return { dialer, dialled }
}

/** Certifies a roster in which the central peer has another address, and lets three epochs pass. */
async function moveCentral(federation: FakeFederation): Promise<void> {
  const signer = testSigner(`peer/${TEST_AUTHORITY}`)
  const { firstEpoch } = federation.certified.roster
  const move = newChange(manifestToId(federation.manifest), {
    kind: 'move',
    at: firstEpoch * EPOCH_MS,
    until: firstEpoch + 50,
    key: signer.key,
    addresses: [MOVED],
  })
  const { roster } = federation.follow({ changes: [encodeChange(signChange(move, signer))] })
  expect(roster.central.addresses).toEqual([MOVED])
  await federation.clock.advanceTo(federation.clock.now() + 3 * EPOCH_MS)
}

describe('an erasure', () => {
  it('goes to the new address of a central peer that a later roster moved', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const tracer = await openTracer(federation, { dialer })
    await recordAll(tracer, life(HERE, START_MS, 30))
    await tracer.sync()
    await moveCentral(federation)
    await tracer.sync()
    await tracer.eraseAll()
    const old = federation.certified.roster.central.addresses.join()
    expect(dialled).toEqual([old, MOVED, MOVED])
    expect(federation.central.users.size).toBe(0)
  })

  it('learns of the move itself when no sync came between', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const tracer = await openTracer(federation, { dialer })
    await tracer.sync()
    await moveCentral(federation)
    await tracer.eraseAll()
    expect(dialled.at(-1)).toBe(MOVED)
  })

  it('goes to the address of the newest known roster when no peer gives news', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const storage = { ...memoryStorage(), close: async () => {} }
    const tracer = await openTracer(federation, { dialer, storage })
    await tracer.sync()
    await moveCentral(federation)
    await tracer.sync()
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? serve(frame) : unreachable()
    await federation.clock.advanceTo(federation.clock.now() + 3 * EPOCH_MS)
    await (await openTracer(federation, { dialer, storage })).eraseAll()
    expect(dialled.at(-1)).toBe(MOVED)
    // A device that never saw a roster has only the manifest.
    await (await openTracer(federation, { dialer })).eraseAll()
    expect(dialled.at(-1)).toBe(federation.manifest.central.addresses.join())
  })

  it('is drawn anew when the central peer answered another batch of its sync id', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(HERE, START_MS, 30))
    await tracer.sync()
    const frames: string[] = []
    const refusing = Promise.reject(new FederationError('SYNC_CONFLICT', 'another batch'))
    refusing.catch(() => {})
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SYNC_PROTOCOL.id) frames.push(Buffer.from(frame).toString('hex'))
      return protocol.id === SYNC_PROTOCOL.id && frames.length === 1 ? refusing : serve(frame)
    }
    await tracer.eraseAll()
    expect(new Set(frames).size).toBe(2)
    expect(federation.central.users.size).toBe(0)
  })
})
