import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import { fakeFederation, openTracer, START_MS } from '../src/testing/fake-federation.ts'
import { CAFE, diaryOf, lastingStorage, MINUTE, refused } from './fixture.ts'

const fix = { ...CAFE, accuracyM: 5, at: START_MS - 2 * MINUTE }

describe('record', () => {
  it('a good fix is taken, at any longitude', async () => {
    const tracer = await openTracer(await fakeFederation())
    expect(await tracer.record(fix)).toEqual({ accepted: true })
    expect(await tracer.record({ ...fix, accuracyM: 10, lng: 200, at: START_MS - 20 * MINUTE })).toEqual({
      accepted: true,
    })
  })

  it('a fix that is no position on Earth is refused as invalid', async () => {
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
      { lat: 0, lng: 0 },
      { lat: -0, lng: 0, accuracyM: 5 },
    ]
    for (const change of wrong) expect(await tracer.record({ ...fix, ...change })).toEqual(refused('invalid'))
    expect(await tracer.record({ ...fix, lat: 90 })).toEqual({ accepted: true })
    const equator = await openTracer(await fakeFederation())
    expect(await equator.record({ ...fix, lat: 0 })).toEqual({ accepted: true })
  })

  it('a fix that is inaccurate, unknown, in the future or too old is refused, each with its own reason', async () => {
    const tracer = await openTracer(await fakeFederation())
    expect(await tracer.record({ ...fix, accuracyM: 11 })).toEqual(refused('inaccurate'))
    expect(await tracer.record({ ...fix, accuracyM: 0 })).toEqual(refused('accuracy-unknown'))
    expect(await tracer.record({ ...CAFE, at: fix.at })).toEqual(refused('accuracy-unknown'))
    expect(await tracer.record({ ...fix, at: START_MS + 61_000 })).toEqual(refused('future'))
    expect(await tracer.record({ ...fix, at: START_MS + 30_000 })).toEqual({ accepted: true })
    expect(await tracer.record({ ...fix, at: START_MS - 185 * MINUTE })).toEqual(refused('too-old'))
    expect(await tracer.record({ ...fix, at: START_MS - 184 * MINUTE })).toEqual(refused('too-old'))
    expect(await tracer.record({ ...fix, at: START_MS - 180 * MINUTE })).toEqual({ accepted: true })
  })

  it('the federation sets the accuracy limit, and the limit itself is taken', async () => {
    const tracer = await openTracer(await fakeFederation({ accuracyM: 30 }))
    expect(await tracer.record({ ...fix, accuracyM: 30.1 })).toEqual(refused('inaccurate'))
    expect(await tracer.record({ ...fix, accuracyM: 30 })).toEqual({ accepted: true })
  })

  it('a GeolocationPosition of the W3C is taken as it is, and a bad one is refused', async () => {
    const tracer = await openTracer(await fakeFederation())
    const coords = { latitude: CAFE.lat, longitude: CAFE.lng, accuracy: 5 }
    expect(await tracer.record({ coords, timestamp: fix.at + 0.4 })).toEqual({ accepted: true })
    expect(await diaryOf(tracer)).toEqual([{ ...fix, state: 'waiting' }])
    const nowhere = { coords: { ...coords, latitude: Number.NaN }, timestamp: fix.at }
    expect(await tracer.record(nowhere)).toEqual(refused('invalid'))
  })

  it('an unknown accuracy is taken from an importer only', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    expect(await tracer.record({ ...CAFE, at: fix.at }, { imported: true })).toEqual({ accepted: true })
    const replay = await openTracer(federation, { acceptUnknownAccuracy: true })
    expect(await replay.record({ ...fix, accuracyM: 0 })).toEqual({ accepted: true })
    expect(await replay.record({ ...fix, accuracyM: 11 })).toEqual(refused('inaccurate'))
  })

  it('the diary keeps the most accurate fix of a block, the first on a tie, and none after the block is hashed', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const at = START_MS - 10 * MINUTE
    expect(await tracer.record({ ...CAFE, at }, { imported: true })).toEqual({ accepted: true })
    expect(await tracer.record({ ...CAFE, accuracyM: 8, at: at + 1 })).toEqual({ accepted: true })
    expect(await tracer.record({ ...CAFE, accuracyM: 8, at: at + 2 })).toEqual(refused('not-better'))
    expect(await tracer.record({ ...CAFE, accuracyM: 4, at: at + 3 })).toEqual({ accepted: true })
    expect(await diaryOf(tracer)).toEqual([{ ...CAFE, accuracyM: 4, at: at + 3, state: 'waiting' }])
    await tracer.sync()
    expect(await tracer.record({ ...CAFE, accuracyM: 1, at: at + 4 })).toEqual(refused('block-taken'))
  })

  it('a fix and its lesson about home take one write, and later fixes of the block need no read', async () => {
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
    // A receiver gives the same position every second of a block, sometimes more accurately than before.
    for (let i = 1; i <= 60; i++)
      await tracer.record({ ...fix, at: fix.at + i, accuracyM: i % 20 === 0 ? 5 - i / 20 : 9 })
    expect(asked).toEqual({ gets: before.gets, batches: before.batches + 3 })
    await tracer.close()
  })

  it('a lesson about home is forgotten when the disk refuses the write', async () => {
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
    // An hour of fixes is a night, so the twelfth fix already lies at home.
    for (const one of fixes.slice(1)) expect(await tracer.record(one)).toEqual({ accepted: true })
    expect(tracer.home.status()).toMatchObject({ nights: 0 })
    expect(await tracer.record(fix)).toEqual(refused('redacted-home'))
    expect(tracer.home.status()).toMatchObject({ known: false, nights: 1 })
    await tracer.close()
  })

  it('a paused tracer refuses fixes until it resumes, also after a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await tracer.pause()
    expect(await tracer.record(fix)).toEqual(refused('paused'))
    const again = await openTracer(federation, { storage })
    expect(await again.isPaused()).toBe(true)
    await again.resume()
    expect(await again.record(fix)).toEqual({ accepted: true })
  })

  it('a closed tracer throws TypeError for a fix and for a sync', async () => {
    const tracer = await openTracer(await fakeFederation())
    await tracer.close()
    await tracer.close()
    await expect(tracer.record(fix)).rejects.toThrow(TypeError)
    await expect(tracer.sync()).rejects.toThrow(TypeError)
  })
})
