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
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, cut, diaryOf, keysOf, lastingStorage, MINUTE, recordAll, refused, uncut } from '../fixture.ts'

const fix = { ...CAFE, accuracyM: 5, at: START_MS - 2 * MINUTE }

describe('eraseAll', () => {
  it('an erasure empties the device and the central peer, and the next deposit comes from a new user', async () => {
    const federation = await fakeFederation()
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, START_MS, 60))
    await tracer.sync()
    const [before] = federation.central.users.keys()
    await tracer.eraseAll()
    expect(federation.central.users.size).toBe(0)
    expect((await keysOf(storage)).sort()).toEqual([
      'meta/device',
      'meta/federation',
      'meta/manifest',
      'meta/user',
      'roster/00000000',
    ])
    await tracer.record(fix)
    await tracer.sync()
    expect([...federation.central.users.keys()]).not.toContain(before)
  })

  it('an erasure aborts the sync under way, and a report that was asked for later runs after it', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    expect(await tracer.record({ ...fix, at: START_MS - 20 * MINUTE })).toEqual({ accepted: true })
    const { intercept } = federation
    const asked = new Promise<void>((resolve) => {
      federation.intercept = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    const sync = tracer.sync()
    await asked
    federation.intercept = intercept
    const erasure = tracer.eraseAll()
    const late = tracer.report('0000-0000-0000-0000')
    await expect(sync).rejects.toMatchObject({ code: 'ABORTED' })
    await erasure
    // The report ran after the erasure, and the central peer does not know this code.
    await expect(late).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    expect(await diaryOf(tracer)).toEqual([])
  })

  it('an erasure without a network empties the device at once, and the central peer with a sync after a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, START_MS, 60))
    await tracer.sync()
    cut(federation, SYNC_PROTOCOL)
    await expect(tracer.eraseAll()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(federation.central.users.size).toBe(1)
    expect(await diaryOf(tracer)).toEqual([])
    expect(await tracer.record(fix)).toEqual(refused('erasing'))
    const [id] = federation.central.users.keys()
    uncut(federation)
    const again = await openTracer(federation, { storage, random: seededBytes('later') })
    await again.sync()
    expect([...federation.central.users.keys()]).not.toContain(id)
    expect(await again.record(fix)).toEqual({ accepted: true })
  })
})

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

describe('the address of an erasure', () => {
  it('an erasure goes to the new address of a central peer that a later roster moved', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const tracer = await openTracer(federation, { dialer })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.sync()
    await moveCentral(federation)
    await tracer.sync()
    await tracer.eraseAll()
    const old = federation.certified.roster.central.addresses.join()
    expect(dialled).toEqual([old, MOVED, MOVED])
    expect(federation.central.users.size).toBe(0)
  })

  it('an erasure fetches the roster that moved the central peer when no sync came between', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const tracer = await openTracer(federation, { dialer })
    await tracer.sync()
    await moveCentral(federation)
    await tracer.eraseAll()
    expect(dialled.at(-1)).toBe(MOVED)
  })

  it('an erasure goes to the address of the newest known roster when no peer gives news', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const { dialer, dialled } = watchCentral(federation)
    const storage = lastingStorage()
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

  it('an erasure gets a new sync id when the central peer answers SYNC_CONFLICT to the old sync id', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
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
