import { describe, expect, it } from 'vitest'
import { noteAbsence, readAbsences } from '../../src/diary/absences.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { fakeFederation, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, diaryOf, HOUR, keysOf, lastingStorage, MINUTE, recordAll } from '../fixture.ts'

const BLOCK = 5 * MINUTE
const START = Math.floor(START_MS / BLOCK) * BLOCK
const good = (at: number) => ({ ...CAFE, accuracyM: 5, at })

describe('the causes of gaps', () => {
  it('refused fixes leave their cause and no position: inaccurate, near home, in a zone', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { redaction: {}, storage })
    await tracer.home.mark(CAFE)
    const far = { lat: 52.545, lng: 13.405, accuracyM: 5 }
    await tracer.zones.add({ lat: far.lat, lng: far.lng, radiusM: 100 })
    await tracer.record(good(START - 4 * BLOCK))
    await tracer.record({ ...far, at: START - 3 * BLOCK })
    await tracer.record({ ...CAFE, accuracyM: 35, at: START - 2 * BLOCK })
    await tracer.record({ ...CAFE, lat: 91, accuracyM: 5, at: START - BLOCK })
    expect(await tracer.absences()).toEqual([
      { from: START - 4 * BLOCK, until: START - 3 * BLOCK, cause: 'home' },
      { from: START - 3 * BLOCK, until: START - 2 * BLOCK, cause: 'zone' },
      { from: START - 2 * BLOCK, until: START - BLOCK, cause: 'inaccurate' },
    ])
    for (const key of (await keysOf(storage)).filter((name) => name.startsWith('absence/'))) {
      expect((await storage.get(key))!.length).toBe(16)
    }
    expect(await diaryOf(tracer)).toEqual([])
  })

  it('a pause is a cause from its first minute to the last, while it lasts and after a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await tracer.pause()
    await federation.clock.advanceTo(START_MS + HOUR)
    // A second pause does not move the beginning of the first.
    await tracer.pause()
    const pause = { from: START, until: START + HOUR + BLOCK, cause: 'paused' }
    expect(await tracer.absences()).toEqual([pause])
    await tracer.close()
    const again = await openTracer(federation, { storage })
    await again.resume()
    await federation.clock.advanceTo(START_MS + 3 * HOUR)
    expect(await again.absences()).toEqual([pause])
    await again.resume()
    expect(await again.absences()).toEqual([pause])
  })

  it('the app notes that the platform gives no position, and only for the five minutes in which it is so', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.noteAbsence('denied')
    await federation.clock.advanceTo(START_MS + HOUR)
    await tracer.noteAbsence('unavailable')
    expect(await tracer.absences()).toEqual([
      { from: START, until: START + BLOCK, cause: 'denied' },
      { from: START + HOUR, until: START + HOUR + BLOCK, cause: 'unavailable' },
    ])
  })

  it('deleting a time deletes its causes, and the retention deletes them with the fixes', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, [good(START - 3 * BLOCK)])
    await tracer.noteAbsence('denied')
    expect(await tracer.deleteFixes({ from: START - HOUR, until: START + HOUR })).toBe(1)
    expect(await tracer.absences()).toEqual([])
    await tracer.noteAbsence('denied')
    await tracer.close()
    for (const days of [14.1, 15.2]) {
      await federation.clock.advanceTo(START_MS + days * 24 * HOUR)
      const later = await openTracer(federation, { storage })
      expect(await later.absences()).toEqual([])
      await later.close()
    }
    expect((await keysOf(storage)).filter((key) => key.startsWith('absence/'))).toEqual([])
  })

  it('a pause that is older than the retention is read only back to the retention', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.pause()
    await federation.clock.advanceTo(START_MS + 40 * 24 * HOUR)
    const [only, ...more] = await tracer.absences()
    expect(more).toEqual([])
    expect((only!.until - only!.from) / HOUR).toBeCloseTo(14 * 24, 0)
  })

  it('a newer cause replaces an older one, and a block without a cause leaves no record', async () => {
    const storage = memoryStorage()
    await storage.batch(await noteAbsence(storage, 100, 140, 'home'))
    await storage.batch(await noteAbsence(storage, 110, 120, 'zone'))
    const blocks = (from: number, until: number, cause: string) => ({ from: from * BLOCK, until: until * BLOCK, cause })
    expect(await readAbsences(storage, 0, 0)).toEqual([
      blocks(100, 110, 'home'),
      blocks(110, 120, 'zone'),
      blocks(120, 140, 'home'),
    ])
    expect(await noteAbsence(storage, 110, 120, 'zone')).toEqual([])
    await storage.batch(await noteAbsence(storage, 100, 140, undefined))
    expect(await keysOf(storage)).toEqual([])
  })
})
