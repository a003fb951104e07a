import { EPOCH_MS, FederationError, RELAY_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, diaryOf, keysOf, lastingStorage, MINUTE, recordAll, refused, reseal, uncut } from '../fixture.ts'

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
    cut(federation, OPENED_SYNC)
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

describe('an erasure on its way', () => {
  it('an erasure is sealed to the key of the newest known roster when no peer gives news', async () => {
    const federation = await fakeFederation({ periodEpochs: 1 })
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await tracer.sync()
    reseal(federation)
    await federation.clock.advanceTo(federation.clock.now() + 3 * EPOCH_MS)
    await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
    await tracer.sync()
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === OPENED_SYNC.id || protocol.id === RELAY_PROTOCOL.id ? serve(frame) : unreachable()
    await federation.clock.advanceTo(federation.clock.now() + 3 * EPOCH_MS)
    await (await openTracer(federation, { storage })).eraseAll()
    expect(federation.central.users.size).toBe(0)
    // A device that never saw a roster has only the key of the manifest, which opens nothing any more.
    await expect((await openTracer(federation)).eraseAll()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
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
      if (protocol.id === OPENED_SYNC.id) frames.push(Buffer.from(frame).toString('hex'))
      return protocol.id === OPENED_SYNC.id && frames.length === 1 ? refusing : serve(frame)
    }
    await tracer.eraseAll()
    expect(new Set(frames).size).toBe(2)
    expect(federation.central.users.size).toBe(0)
  })
})
