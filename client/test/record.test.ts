import { SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
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

const HERE = { lat: 52.52, lng: 13.405 }
const MINUTE = 60_000
const fix = { ...HERE, accuracyM: 5, at: START_MS - 2 * MINUTE }
const refused = (reason: string) => ({ accepted: false, reason })

describe('recording a fix', () => {
  it('takes a good one', async () => {
    const tracer = await openTracer(await fakeFederation())
    expect(await tracer.record(fix)).toEqual({ accepted: true })
    expect(await tracer.record({ ...fix, accuracyM: 10, lng: 200, at: START_MS - 20 * MINUTE })).toEqual({
      accepted: true,
    })
  })

  it('refuses what is no position, each side of the edge', async () => {
    const tracer = await openTracer(await fakeFederation())
    const wrong = [
      { lat: Number.NaN },
      { lat: 91 },
      { lat: -90.001 },
      { lng: Number.POSITIVE_INFINITY },
      { lng: Number.NaN },
      { at: Number.NaN },
      { at: -1 },
      { at: 1.5 },
      { accuracyM: -1 },
      { accuracyM: Number.NaN },
    ]
    for (const change of wrong) expect(await tracer.record({ ...fix, ...change })).toEqual(refused('invalid'))
    expect(await tracer.record({ ...fix, lat: 90 })).toEqual({ accepted: true })
  })

  it('refuses what is inaccurate, unknown, in the future or too old, each by its own reason', async () => {
    const tracer = await openTracer(await fakeFederation())
    expect(await tracer.record({ ...fix, accuracyM: 11 })).toEqual(refused('inaccurate'))
    expect(await tracer.record({ ...fix, accuracyM: 0 })).toEqual(refused('accuracy-unknown'))
    expect(await tracer.record({ ...HERE, at: fix.at })).toEqual(refused('accuracy-unknown'))
    expect(await tracer.record({ ...fix, at: START_MS + 61_000 })).toEqual(refused('future'))
    expect(await tracer.record({ ...fix, at: START_MS + 30_000 })).toEqual({ accepted: true })
    expect(await tracer.record({ ...fix, at: START_MS - 185 * MINUTE })).toEqual(refused('too-old'))
    expect(await tracer.record({ ...fix, at: START_MS - 184 * MINUTE })).toEqual(refused('too-old'))
    expect(await tracer.record({ ...fix, at: START_MS - 180 * MINUTE })).toEqual({ accepted: true })
  })

  it('takes an unknown accuracy from an importer only', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    expect(await tracer.record({ ...HERE, at: fix.at }, { imported: true })).toEqual({ accepted: true })
    const replay = await openTracer(federation, { acceptUnknownAccuracy: true })
    expect(await replay.record({ ...fix, accuracyM: 0 })).toEqual({ accepted: true })
    expect(await replay.record({ ...fix, accuracyM: 11 })).toEqual(refused('inaccurate'))
  })

  it('keeps the most accurate fix of five minutes, the first on a tie, and none of a block that is hashed', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const at = START_MS - 10 * MINUTE
    expect(await tracer.record({ ...HERE, at }, { imported: true })).toEqual({ accepted: true })
    expect(await tracer.record({ ...HERE, accuracyM: 8, at: at + 1 })).toEqual({ accepted: true })
    expect(await tracer.record({ ...HERE, accuracyM: 8, at: at + 2 })).toEqual(refused('not-better'))
    expect(await tracer.record({ ...HERE, accuracyM: 4, at: at + 3 })).toEqual({ accepted: true })
    const kept = []
    for await (const item of tracer.diary()) kept.push(item)
    expect(kept).toEqual([{ ...HERE, accuracyM: 4, at: at + 3, state: 'waiting' }])
    await tracer.sync()
    expect(await tracer.record({ ...HERE, accuracyM: 1, at: at + 4 })).toEqual(refused('block-taken'))
  })

  it('writes a fix and what it teaches about home at once, and asks the disk nothing it was told', async () => {
    const inner = memoryStorage()
    const asked = { gets: 0, batches: 0 }
    const storage = {
      ...inner,
      get: (key: string) => {
        asked.gets++
        return inner.get(key)
      },
      batch: (operations: Parameters<typeof inner.batch>[0]) => {
        asked.batches++
        return inner.batch(operations)
      },
    }
    const night = { storage, redaction: {}, timeZoneOffsetMin: () => -10 * 60 }
    const tracer = await openTracer(await fakeFederation(), night)
    expect(await tracer.record(fix)).toEqual({ accepted: true })
    const before = { ...asked }
    // A receiver that says the same place every second of a block, now and then better than before.
    for (let i = 1; i <= 60; i++)
      await tracer.record({ ...fix, at: fix.at + i, accuracyM: i % 20 === 0 ? 5 - i / 20 : 9 })
    expect(asked).toEqual({ gets: before.gets, batches: before.batches + 3 })
    await tracer.close()
  })

  it('forgets what a fix taught when the disk did not take it', async () => {
    const inner = memoryStorage()
    let isFull = false
    const batch: typeof inner.batch = async (operations) => {
      if (isFull) throw new Error('no room')
      await inner.batch(operations)
    }
    const night = { storage: { ...inner, batch }, redaction: {}, timeZoneOffsetMin: () => -10 * 60 }
    const tracer = await openTracer(await fakeFederation(), night)
    const fixes = Array.from({ length: 12 }, (_, i) => ({ ...fix, at: fix.at - 5 * i * MINUTE }))
    isFull = true
    for (const one of fixes) await expect(tracer.record(one)).rejects.toThrow('no room')
    expect(tracer.home.status()).toMatchObject({ nights: 0 })
    isFull = false
    // An hour of them is a night, and the twelfth is at home already.
    for (const one of fixes.slice(1)) expect(await tracer.record(one)).toEqual({ accepted: true })
    expect(tracer.home.status()).toMatchObject({ nights: 0 })
    expect(await tracer.record(fix)).toEqual(refused('redacted-home'))
    expect(tracer.home.status()).toMatchObject({ known: false, nights: 1 })
    await tracer.close()
  })

  it('pauses and resumes, over a restart too', async () => {
    const federation = await fakeFederation()
    const storage = { ...memoryStorage(), close: async () => {} }
    const tracer = await openTracer(federation, { storage })
    await tracer.pause()
    expect(await tracer.record(fix)).toEqual(refused('paused'))
    const again = await openTracer(federation, { storage })
    expect(await again.isPaused()).toBe(true)
    await again.resume()
    expect(await again.record(fix)).toEqual({ accepted: true })
  })

  it('is a programming mistake after closing', async () => {
    const tracer = await openTracer(await fakeFederation())
    await tracer.close()
    await tracer.close()
    await expect(tracer.record(fix)).rejects.toThrow(TypeError)
    await expect(tracer.sync()).rejects.toThrow(TypeError)
  })
})

describe('erasing everything', () => {
  it('empties the device and the central peer, and the next deposit is somebody else', async () => {
    const federation = await fakeFederation()
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    for (const item of life(HERE, START_MS, 60)) await tracer.record(item)
    await tracer.sync()
    const [before] = federation.central.users.keys()
    await tracer.eraseAll()
    expect(federation.central.users.size).toBe(0)
    const keys = []
    for await (const [key] of storage.range('')) keys.push(key)
    expect(keys.sort()).toEqual(['meta/device', 'meta/federation', 'meta/manifest', 'meta/user', 'roster/00000000'])
    await tracer.record(fix)
    await tracer.sync()
    expect([...federation.central.users.keys()]).not.toContain(before)
  })

  it('does not wait for a sync under way, nor let one begin before', async () => {
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
    // It came after the erasure, and the centre does not know this code.
    await expect(late).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    const left = []
    for await (const entry of tracer.diary()) left.push(entry)
    expect(left).toEqual([])
  })

  it('empties the device at once when offline and the central peer later, after a restart', async () => {
    const federation = await fakeFederation()
    const storage = { ...memoryStorage(), close: async () => {} }
    const tracer = await openTracer(federation, { storage })
    for (const item of life(HERE, START_MS, 60)) await tracer.record(item)
    await tracer.sync()
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? unreachable() : serve(frame)
    await expect(tracer.eraseAll()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(federation.central.users.size).toBe(1)
    for await (const _ of tracer.diary()) throw new Error('something is left')
    expect(await tracer.record(fix)).toEqual(refused('erasing'))
    const [id] = federation.central.users.keys()
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    const again = await openTracer(federation, { storage, random: seededRandom('later') })
    await again.sync()
    expect([...federation.central.users.keys()]).not.toContain(id)
    expect(await again.record(fix)).toEqual({ accepted: true })
  })
})

describe('moving to a new phone', () => {
  it('brings diary, outbox and marks along, under the same name for the central peer', async () => {
    const federation = await fakeFederation()
    const old = await openTracer(federation)
    for (const item of life(HERE, START_MS, 60)) await old.record(item)
    await old.sync()
    await old.record({ ...fix, at: START_MS + 1 })
    const file = await old.export('correct horse')
    const phone = await openTracer(federation, { random: (n) => crypto.getRandomValues(new Uint8Array(n)) })
    await phone.import(file, 'correct horse')
    const fixes = []
    for await (const item of phone.diary()) fixes.push(item)
    expect(fixes.length).toBe(13)
    await federation.clock.advanceTo(START_MS + 5 * MINUTE)
    expect((await phone.sync()).fixesHashed).toBe(1)
    expect(federation.central.users.size).toBe(1)
    expect(Buffer.from(file).includes(Buffer.from('52.52'))).toBe(false)
  })

  it('refuses a wrong passphrase, a damaged or foreign file, and keeps what is there', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record(fix)
    const file = await tracer.export('correct horse')
    const invalid = expect.objectContaining({ code: 'IMPORT_INVALID' })
    await expect(tracer.import(file, 'wrong horse')).rejects.toEqual(invalid)
    for (const at of [0, 10, 21, 30, file.length - 1]) {
      const damaged = file.slice()
      damaged[at]! ^= 1
      await expect(tracer.import(damaged, 'correct horse')).rejects.toEqual(invalid)
    }
    await expect(tracer.import(new Uint8Array(3), 'correct horse')).rejects.toEqual(invalid)
    const other = await openTracer(await fakeFederation({ retentionDays: 7 }))
    await expect(other.import(file, 'correct horse')).rejects.toEqual(invalid)
    await expect(tracer.export('short')).rejects.toThrow(RangeError)
    const left = []
    for await (const item of tracer.diary()) left.push(item)
    expect(left.length).toBe(1)
  })
})

describe('the preview', () => {
  it('tells what would leave and changes nothing', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    for (const item of life(HERE, START_MS, 30)) await tracer.record(item)
    await tracer.record({ ...fix, at: START_MS })
    expect(await tracer.preview()).toMatchObject({
      fixesWaiting: 6,
      fixesOpen: 1,
      epochs: [],
      batchBytes: 2048,
      report: false,
    })
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? unreachable() : serve(frame)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const preview = await tracer.preview()
    expect(preview.fixesWaiting).toBe(0)
    expect(preview.epochs.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(30)
    expect(preview.frozenBytes).toBeGreaterThanOrEqual(2048)
    expect(await tracer.preview()).toEqual(preview)
  })
})
