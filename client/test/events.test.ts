import { describe, expect, it } from 'vitest'
import type { TracerEvents } from '../src/events.ts'
import { formatReportCode } from '../src/index.ts'
import { fakeFederation, life, openTracer, START_MS, seededBytes } from '../src/testing/fake-federation.ts'
import { CAFE, recordAll } from './fixture.ts'

const CODE = new Uint8Array(10).fill(7)

describe('events', () => {
  it('a tracer emits fixes, progress, syncs and exposures, and a listener that throws stops nothing', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(Buffer.from(CODE).toString('hex'), 'accepted')
    const reporter = await openTracer(federation, { random: seededBytes('reporter') })
    const tracer = await openTracer(federation)
    const seen: { [E in keyof TracerEvents]?: TracerEvents[E][] } = {}
    const listen = <E extends keyof TracerEvents>(event: E) =>
      tracer.on(event, (data) => {
        const list = (seen[event] ?? []) as TracerEvents[E][]
        list.push(data)
        seen[event] = list as (typeof seen)[E]
      })
    for (const event of ['recorded', 'progress', 'synced', 'exposures'] as const) listen(event)
    const thrown: unknown[] = []
    const keep = (error: unknown) => thrown.push(error)
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', keep)
    tracer.on('synced', () => {
      throw new Error('a bug in the app')
    })
    for (const fix of life(CAFE, START_MS, 30)) {
      await reporter.record(fix)
      await tracer.record(fix)
    }
    await tracer.record({ ...CAFE, accuracyM: 900, at: START_MS - 1 })
    await tracer.sync()
    await reporter.report(formatReportCode(CODE))
    expect(seen.exposures).toBeUndefined()
    const result = await tracer.sync()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('uncaughtException', keep)
    for (const other of others) process.on('uncaughtException', other)
    expect(thrown.map(String)).toEqual(['Error: a bug in the app', 'Error: a bug in the app'])
    expect(seen.recorded!.length).toBe(7)
    expect(seen.recorded!.at(-1)!.result).toEqual({ accepted: false, reason: 'inaccurate' })
    expect(seen.synced).toEqual([expect.objectContaining({ report: 'none' }), result])
    expect(seen.exposures).toEqual([await tracer.exposures()])
    expect([...new Set(seen.progress!.map(({ phase }) => phase))]).toEqual(['rosters', 'salts', 'hashes', 'deposit'])
    const salts = seen.progress!.filter(({ phase }) => phase === 'salts')
    expect(salts.at(-1)!.done).toBe(salts.at(-1)!.of)
  })

  it('a tracer that is closed during a sync finishes it, and emits the exposures that it brought', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(Buffer.from(CODE).toString('hex'), 'accepted')
    const reporter = await openTracer(federation, { random: seededBytes('reporter') })
    const tracer = await openTracer(federation)
    for (const person of [reporter, tracer]) {
      await recordAll(person, life(CAFE, START_MS, 30))
      await person.sync()
    }
    await reporter.report(formatReportCode(CODE))
    let count = 0
    tracer.on('exposures', (exposures) => {
      count += exposures.length
    })
    const sync = tracer.sync()
    await tracer.close()
    expect((await sync).marksNew).toBeGreaterThan(0)
    expect(count).toBe(1)
  })

  it('a listener gets no event after it ended its listening', async () => {
    const tracer = await openTracer(await fakeFederation())
    let count = 0
    const stop = tracer.on('recorded', () => count++)
    await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })
    stop()
    await tracer.record({ ...CAFE, accuracyM: 4, at: START_MS })
    expect(count).toBe(1)
  })
})
