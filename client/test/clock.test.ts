/** A device whose clock is wrong, and a device without a network. DESIGN.md §10a "Clocks". Nothing is lost by one clock alone. */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { formatReportCode, type TracerEvents } from '../src/index.ts'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../src/testing/fake-federation.ts'
import { CAFE, diaryOf, HOUR, lastingStorage, MINUTE, recordAll, refused } from './fixture.ts'

const DAY = 24 * HOUR
const AWAY = { lat: 48.1, lng: 11.5 }
const CODE = new Uint8Array(10).fill(7)

/** The federation's clock with an error that a test sets. */
function wrongClock({ clock }: FakeFederation): Clock & { offset: number } {
  return {
    offset: 0,
    now() {
      return clock.now() + this.offset
    },
    setTimer: (fn, delayMs) => clock.setTimer(fn, delayMs),
  }
}

/** A device that was warned of an hour near a reporter. */
async function warned() {
  const federation = await fakeFederation({ reserveEpochs: 18 * 40 })
  const clock = wrongClock(federation)
  const storage = lastingStorage()
  const tracer = await openTracer(federation, { clock, storage })
  const reporter = await openTracer(federation, { random: seededBytes('reporter') })
  for (const fix of life(CAFE, START_MS, 60)) {
    await tracer.record(fix)
    await reporter.record(fix)
  }
  await reporter.sync()
  await tracer.sync()
  federation.central.codes.set(bytesToHex(CODE), 'accepted')
  await reporter.report(formatReportCode(CODE))
  await tracer.sync()
  expect(await tracer.exposures()).toHaveLength(1)
  return { federation, clock, storage, tracer, marks: (await tracer.marks()).length }
}

describe('a wrong clock', () => {
  it.each([20 * DAY, -20 * DAY, 400 * DAY])(
    'a warned device whose clock jumped by %i ms, synced and came back has lost nothing',
    async (jump) => {
      const { federation, clock, storage, tracer, marks } = await warned()
      const events: TracerEvents['clock'][] = []
      tracer.on('clock', (event) => events.push(event))
      clock.offset = jump
      const restarted = await openTracer(federation, { clock, storage, random: seededBytes('restart') })
      expect(await restarted.sync()).toMatchObject({ isClockOff: true, clockOffsetMs: -jump, fixesLost: 0 })
      await tracer.sync()
      expect(events).toEqual([{ offsetMs: -jump }])
      expect(tracer.clockOffsetMs()).toBe(-jump)
      // Corrected: the warning is shown although the clock is wrong.
      expect(await tracer.exposures()).toHaveLength(1)
      clock.offset = 0
      expect(tracer.clockOffsetMs()).toBe(0)
      expect(await tracer.exposures()).toHaveLength(1)
      expect(await tracer.marks()).toHaveLength(marks)
      expect(await diaryOf(tracer)).toHaveLength(12)
      await federation.clock.advanceTo(START_MS + HOUR)
      expect(await tracer.sync()).toMatchObject({ isClockOff: false, fixesLost: 0 })
      expect(await tracer.exposures()).toHaveLength(1)
      expect(tracer.clockOffsetMs()).toBe(0)
    },
  )

  it.each([3 * HOUR, 20 * DAY, -3 * HOUR, -20 * DAY])(
    'waiting fixes are salted and deposited by a sync while the clock is off by %i ms',
    async (jump) => {
      const federation = await fakeFederation()
      const clock = wrongClock(federation)
      const tracer = await openTracer(federation, { clock })
      await recordAll(tracer, life(CAFE, START_MS, 30))
      clock.offset = jump
      const result = await tracer.sync()
      expect(result).toMatchObject({ fixesHashed: 6, fixesLost: 0, fixesAhead: 0, isClockOff: true })
      expect(result.rowsDeposited).toBeGreaterThan(0)
      expect((await diaryOf(tracer)).every(({ state }) => state === 'deposited')).toBe(true)
    },
  )

  it('rows that wait for their night are not counted as too late while the clock is ahead', async () => {
    const federation = await fakeFederation()
    const clock = wrongClock(federation)
    const tracer = await openTracer(federation, { clock, redaction: {} })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect((await tracer.sync()).fixesHeld).toBe(6)
    clock.offset = 5 * DAY
    expect(await tracer.sync()).toMatchObject({ rowsLost: 0, fixesHeld: 6, rowsDeposited: 0 })
    clock.offset = 0
    await tracer.home.mark(AWAY)
    expect((await tracer.sync()).rowsDeposited).toBeGreaterThan(0)
  })

  it('a fix recorded two days ahead is dropped by the next sync and does not block the real fix later', async () => {
    const federation = await fakeFederation()
    const clock = wrongClock(federation)
    const tracer = await openTracer(federation, { clock })
    clock.offset = 2 * DAY
    expect(await tracer.record({ ...CAFE, accuracyM: 3, at: clock.now() })).toEqual({ accepted: true })
    clock.offset = 0
    await recordAll(tracer, life(CAFE, START_MS, 30))
    expect(await tracer.sync()).toMatchObject({ fixesAhead: 1, fixesHashed: 6 })
    expect((await tracer.preview()).totals.fixesAhead).toBe(1)
    await federation.clock.advanceTo(START_MS + 2 * DAY)
    expect(await tracer.record({ ...AWAY, accuracyM: 5, at: federation.clock.now() })).toEqual({ accepted: true })
  })

  it('a fix with the time of a clock that is known to be ahead is refused', async () => {
    const federation = await fakeFederation()
    const clock = wrongClock(federation)
    const tracer = await openTracer(federation, { clock })
    clock.offset = 2 * DAY
    await tracer.sync()
    expect(await tracer.record({ ...CAFE, accuracyM: 5, at: clock.now() })).toEqual(refused('future'))
    expect(await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })).toEqual({ accepted: true })
  })

  it('a device that was silent for hours asks for the time before it deposits', async () => {
    const federation = await fakeFederation()
    const clock = wrongClock(federation)
    const tracer = await openTracer(federation, { clock, redaction: {} })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.sync()
    await tracer.home.mark(AWAY)
    federation.central.requests.length = 0
    await federation.clock.advanceTo(START_MS + 5 * HOUR)
    const result = await tracer.sync()
    expect(result).toMatchObject({ batches: 2, fixesHeld: 0 })
    expect(federation.central.requests.map(({ groups }) => groups.length > 0)).toEqual([false, true])
  })
})

describe('the retention without a sync', () => {
  it.each(['consent to record only', 'an unreachable federation'])(
    'a device with %s shows 14 days of fixes after 40 days, and keeps one day more',
    async (reason) => {
      const federation = await fakeFederation()
      const storage = memoryStorage()
      const consent = reason === 'consent to record only' ? ({ consent: 'required' } as const) : {}
      const tracer = await openTracer(federation, { storage, ...consent })
      await tracer.consent.give('record')
      federation.intercept = () => unreachable()
      for (let day = 0; day < 40; day++) {
        await federation.clock.advanceTo(START_MS + day * DAY + MINUTE)
        expect(await tracer.record({ ...CAFE, accuracyM: 5, at: federation.clock.now() })).toEqual({ accepted: true })
        await expect(tracer.sync()).rejects.toThrow()
      }
      const shown = await diaryOf(tracer)
      expect(shown).toHaveLength(15)
      expect(shown[0]!.at).toBeGreaterThanOrEqual(federation.clock.now() - 14 * DAY)
      let kept = 0
      for await (const _ of storage.range('fix/')) kept++
      expect(kept).toBe(16)
    },
  )

  it('a warning is hidden 14 days later without a network, and deleted at an opening 14 days after that', async () => {
    const { federation, clock, storage, tracer } = await warned()
    federation.intercept = () => unreachable()
    const count = async (): Promise<number> => {
      let marks = 0
      for await (const _ of storage.range('mark/')) marks++
      return marks
    }
    await federation.clock.advanceTo(START_MS + 15 * DAY)
    expect(await tracer.exposures()).toEqual([])
    expect(await tracer.marks()).toEqual([])
    expect(await diaryOf(tracer)).toEqual([])
    await openTracer(federation, { clock, storage })
    expect(await count()).toBeGreaterThan(0)
    await federation.clock.advanceTo(START_MS + 30 * DAY)
    await openTracer(federation, { clock, storage })
    expect(await count()).toBe(0)
  })
})
