import { describe, expect, it } from 'vitest'
import type { Fix, Tracer } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, diaryOf, HOUR, keysOf, MINUTE, recordAll } from '../fixture.ts'

const DAY = 24 * HOUR
const HOME = { lat: 52.5, lng: 13.3 }
/** An hour in the café, so many days before the start. */
const daysAgo = (days: number, place = CAFE) => life(place, START_MS - days * DAY, 60)

async function timesOf(tracer: Tracer, state: string): Promise<number[]> {
  return (await diaryOf(tracer)).filter((entry) => entry.state === state).map(({ at }) => at)
}

const times = (fixes: readonly Fix[]) => fixes.map(({ at }) => at)

describe('importing history', () => {
  it('fixes of the salt window go into the diary, older ones into the history, and each fix is counted once', async () => {
    const tracer = await openTracer(await fakeFederation())
    const recent = life(CAFE, START_MS, 60)
    const old = [...daysAgo(13), ...daysAgo(2)]
    const ancient = daysAgo(15)
    const wrong = [
      { ...CAFE, lat: 91, at: START_MS - DAY },
      { ...CAFE, accuracyM: 11, at: START_MS - DAY },
      { ...CAFE, at: START_MS + HOUR },
    ]
    expect(await tracer.importHistory([...ancient, ...old, ...recent, ...wrong])).toEqual({
      taken: 12,
      history: 24,
      refused: new Map([
        ['too-old', 12],
        ['invalid', 1],
        ['inaccurate', 1],
        ['future', 1],
      ]),
    })
    expect(times(await diaryOf(tracer))).toEqual(times([...old, ...recent]))
    expect(await timesOf(tracer, 'history')).toEqual(times(old))
  })

  it('a second import changes nothing, and a more accurate fix of a block replaces the one of the history', async () => {
    const tracer = await openTracer(await fakeFederation())
    const old = daysAgo(3)
    await tracer.importHistory(old)
    expect((await tracer.importHistory(old)).refused).toEqual(new Map([['not-better', 12]]))
    const better = { ...old[0]!, accuracyM: 3 }
    expect((await tracer.importHistory([better])).history).toBe(1)
    expect((await diaryOf(tracer))[0]).toEqual({ ...better, state: 'history' })
  })

  it('a block of which the diary has a fix takes no history', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const fixes = life(CAFE, START_MS, 30)
    await recordAll(tracer, fixes)
    await federation.clock.advanceTo(START_MS + 4 * HOUR)
    expect(await tracer.importHistory(fixes)).toEqual({ taken: 0, history: 0, refused: new Map([['block-taken', 6]]) })
  })

  it('nothing of the history is salted, hashed or deposited', async () => {
    const tracer = await openTracer(await fakeFederation())
    await tracer.importHistory(daysAgo(1))
    const { fixesHashed, saltsAsked, rowsDeposited, fixesLost } = await tracer.sync()
    expect({ fixesHashed, saltsAsked, rowsDeposited, fixesLost }).toEqual({
      fixesHashed: 0,
      saltsAsked: 0,
      rowsDeposited: 0,
      fixesLost: 0,
    })
    expect(await timesOf(tracer, 'history')).toEqual(times(daysAgo(1)))
  })

  it('a device without consent or with a pause takes no history', async () => {
    const tracer = await openTracer(await fakeFederation(), { consent: 'required' })
    expect((await tracer.importHistory(daysAgo(1))).refused).toEqual(new Map([['no-consent', 12]]))
    await tracer.consent.give('record')
    await tracer.pause()
    expect((await tracer.importHistory(daysAgo(1))).refused).toEqual(new Map([['paused', 12]]))
  })
})

describe('the history and home', () => {
  it('imported nights teach home, and the history near home is not shown any more', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    const midnight = Math.floor(START_MS / DAY) * DAY
    const nights = [5, 4, 3].flatMap((days) => life(HOME, midnight - days * DAY + 5 * HOUR, 4 * 60))
    const out = life(CAFE, midnight - 3 * DAY + 12 * HOUR, 60)
    const { history } = await tracer.importHistory([...nights, ...out])
    expect(history).toBeGreaterThan(out.length)
    expect(tracer.home.status()).toMatchObject({ known: true, nights: 3 })
    expect(await timesOf(tracer, 'history')).toEqual(times(out))
    expect((await tracer.importHistory(nights.slice(0, 1))).refused).toEqual(new Map([['redacted-home', 1]]))
  })

  it('the history of a zone is hidden as long as the zone exists, and a ride is never kept', async () => {
    const tracer = await openTracer(await fakeFederation(), { redaction: {} })
    const stay = daysAgo(2)
    const ride = { ...CAFE, lat: CAFE.lat + 1, accuracyM: 5, at: stay.at(-1)!.at + 5 * MINUTE }
    expect((await tracer.importHistory([...stay, ride])).refused).toEqual(new Map([['redacted-speed', 1]]))
    await tracer.zones.add({ ...CAFE, radiusM: 500 })
    expect(await timesOf(tracer, 'history')).toEqual([])
    const [zone] = tracer.zones.list()
    await tracer.zones.remove(zone!.id)
    expect(await timesOf(tracer, 'history')).toEqual(times(stay))
  })
})

describe('the end of the history', () => {
  it('history older than 14 days is hidden at once and deleted by the next sync, also under a longer retention', async () => {
    for (const retentionDays of [14, 30]) {
      const federation = await fakeFederation({ retentionDays })
      const storage = memoryStorage()
      const tracer = await openTracer(federation, { storage })
      await tracer.importHistory([...daysAgo(13), ...daysAgo(1)])
      await federation.clock.advanceTo(START_MS + 2 * DAY)
      expect(await timesOf(tracer, 'history')).toEqual(times(daysAgo(1)))
      await tracer.sync()
      expect((await keysOf(storage)).filter((key) => key.startsWith('history/'))).toHaveLength(12)
    }
  })

  it('a shorter retention of the federation holds for the history too', async () => {
    const tracer = await openTracer(await fakeFederation({ retentionDays: 2 }))
    expect(await tracer.importHistory([...daysAgo(3), ...daysAgo(1)])).toMatchObject({ history: 12 })
    expect(await timesOf(tracer, 'history')).toEqual(times(daysAgo(1)))
  })

  it('a deleted span takes its history with it, and counts the fixes', async () => {
    const tracer = await openTracer(await fakeFederation())
    const [first, second] = [daysAgo(3), daysAgo(2)]
    await tracer.importHistory([...first, ...second])
    expect(await tracer.deleteFixes({ from: first[0]!.at, until: second[0]!.at })).toBe(12)
    expect(await timesOf(tracer, 'history')).toEqual(times(second))
  })

  it('an export and an import carry the history to a new device, and an erasure leaves nothing of it', async () => {
    const federation = await fakeFederation()
    const storage = memoryStorage()
    const old = await openTracer(federation, { storage })
    await old.importHistory(daysAgo(2))
    const file = await old.export('correct horse')
    const fresh = await openTracer(federation)
    await fresh.import(file, 'correct horse')
    expect(await timesOf(fresh, 'history')).toEqual(times(daysAgo(2)))
    await old.eraseAll()
    expect((await keysOf(storage)).filter((key) => key.startsWith('history/'))).toEqual([])
  })
})
