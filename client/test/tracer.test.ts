import { decodeSyncRequest, SALT_PROTOCOL, SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { TracerEvents } from '../src/events.ts'
import { formatReportCode, type Tracer } from '../src/index.ts'
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
const CODE = new Uint8Array(10).fill(7)

async function states(tracer: Tracer): Promise<string[]> {
  const list: string[] = []
  for await (const { state } of tracer.diary()) list.push(state)
  return list
}

describe('the diary', () => {
  it('says of each fix what became of it', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    for (const fix of life(HERE, START_MS, 10)) await tracer.record(fix)
    await tracer.record({ ...HERE, accuracyM: 5, at: START_MS })
    expect(await states(tracer)).toEqual(['waiting', 'waiting', 'open'])
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? unreachable() : serve(frame)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(await states(tracer)).toEqual(['hashed', 'hashed', 'open'])
    federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
    await tracer.sync()
    expect(await states(tracer)).toEqual(['deposited', 'deposited', 'open'])
    await federation.clock.advanceTo(START_MS + 200 * MINUTE)
    await tracer.sync()
    expect(await states(tracer)).toEqual(['deposited', 'deposited', 'lost'])
  })

  it('says lost of hashes whose epoch takes no deposits any more, and held while home is unknown', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    for (const fix of life(HERE, START_MS, 10)) await tracer.record(fix)
    await tracer.sync()
    expect(await states(tracer)).toEqual(['held', 'held'])
    await federation.clock.advanceTo(START_MS + 52 * 60 * MINUTE)
    expect((await tracer.sync()).rowsLost).toBeGreaterThan(0)
    expect(await states(tracer)).toEqual(['lost', 'lost'])
  })
})

describe('a preview', () => {
  it('shows the very bytes of the next batch, but for the sync id', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    for (const fix of life(HERE, START_MS, 30)) await tracer.record(fix)
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id === SYNC_PROTOCOL.id ? unreachable() : serve(frame)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const onItsWay = await tracer.preview()
    let sent: Uint8Array | undefined
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SYNC_PROTOCOL.id) sent ??= frame
      return serve(frame)
    }
    await tracer.sync()
    expect(sent).toEqual(onItsWay.frame)
    expect(onItsWay.frozenBytes).toBe(sent!.length)

    await federation.clock.advanceTo(START_MS + 10 * MINUTE)
    for (const fix of life(HERE, START_MS + 10 * MINUTE, 10)) await tracer.record(fix)
    federation.intercept = async (_peer, protocol, frame, serve) => {
      const reply = await serve(frame)
      if (protocol.id === SALT_PROTOCOL.id) previews.push(await tracer.preview())
      return reply
    }
    const previews: { frame: Uint8Array }[] = []
    await tracer.sync()
    expect(previews.length).toBeGreaterThan(0)
    const sizes = federation.manifest.parameters.syncRequestBytes
    expect(decodeSyncRequest((await tracer.preview()).frame, sizes)).toMatchObject({
      groups: [],
      report: { kind: 'none' },
    })
  })
})

describe('events', () => {
  it('tell of fixes, progress, syncs and exposures, and a listener that throws stops nothing', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(Buffer.from(CODE).toString('hex'), 'accepted')
    const reporter = await openTracer(federation, { random: seededRandom('reporter') })
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
    const hold = (error: unknown) => thrown.push(error)
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', hold)
    tracer.on('synced', () => {
      throw new Error('a bug in the app')
    })
    for (const fix of life(HERE, START_MS, 30)) {
      await reporter.record(fix)
      await tracer.record(fix)
    }
    await tracer.record({ ...HERE, accuracyM: 900, at: START_MS - 1 })
    await tracer.sync()
    await reporter.report(formatReportCode(CODE))
    expect(seen.exposures).toBeUndefined()
    const result = await tracer.sync()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('uncaughtException', hold)
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

  it('end for whoever stops listening', async () => {
    const tracer = await openTracer(await fakeFederation())
    let count = 0
    const stop = tracer.on('recorded', () => count++)
    await tracer.record({ ...HERE, accuracyM: 5, at: START_MS })
    stop()
    await tracer.record({ ...HERE, accuracyM: 4, at: START_MS })
    expect(count).toBe(1)
  })
})

describe('consent', () => {
  it('gates what it names until it is given, and again when it is withdrawn', async () => {
    const federation = await fakeFederation()
    const storage = { ...memoryStorage(), close: async () => {} }
    const tracer = await openTracer(federation, { consent: 'required', storage })
    const fix = { ...HERE, accuracyM: 5, at: START_MS - MINUTE }
    const missing = (kind: string) => ({ code: 'CONSENT_MISSING', data: { kind } })
    expect(await tracer.record(fix)).toEqual({ accepted: false, reason: 'no-consent' })
    await expect(tracer.sync()).rejects.toMatchObject(missing('deposit'))
    await expect(tracer.report(formatReportCode(CODE))).rejects.toMatchObject(missing('report'))
    expect(federation.answered).toEqual([])
    expect(await tracer.consent.status()).toEqual({ record: false, deposit: false, report: false })
    for (const kind of ['record', 'deposit'] as const) await tracer.consent.give(kind)
    const again = await openTracer(federation, { consent: 'required', storage })
    expect(await again.record(fix)).toEqual({ accepted: true })
    await again.sync()
    await again.consent.withdraw('deposit')
    await expect(again.sync()).rejects.toMatchObject(missing('deposit'))
    expect(await again.consent.status()).toEqual({ record: true, deposit: false, report: false })
    await expect(again.consent.give('everything' as 'record')).rejects.toThrow(TypeError)
  })
})

describe('what a sync says of the next', () => {
  it('names when the oldest waiting fix is lost, and when a node that asked for a pause may be asked again', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await tracer.record({ ...HERE, accuracyM: 5, at: START_MS })
    expect((await tracer.sync()).next).toEqual({ allowedAt: START_MS, dueAt: START_MS + 170 * MINUTE })
    federation.quota = 0
    for (const fix of life(HERE, START_MS, 30)) await tracer.record(fix)
    expect((await tracer.sync()).next).toEqual({
      allowedAt: START_MS + MINUTE,
      dueAt: START_MS - 30 * MINUTE + 170 * MINUTE,
    })
    federation.quota = Number.POSITIVE_INFINITY
    await federation.clock.advanceTo(START_MS + 6 * MINUTE)
    expect((await tracer.sync()).next).toEqual({ allowedAt: START_MS + 6 * MINUTE, dueAt: undefined })
  })
})

describe('a verdict', () => {
  it('stays with its exposure, and what comes later is new again', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(Buffer.from(CODE).toString('hex'), 'accepted')
    const reporter = await openTracer(federation, { random: seededRandom('reporter') })
    const tracer = await openTracer(federation)
    for (const fix of life(HERE, START_MS, 15)) await reporter.record(fix)
    for (const fix of life(HERE, START_MS, 15)) await tracer.record(fix)
    await tracer.sync()
    await reporter.report(formatReportCode(CODE))
    while ((await tracer.sync()).marksLeft > 0);
    const [met] = await tracer.exposures()
    expect(met!.verdict).toBe('new')
    await tracer.judge(met!, 'dismissed')
    expect((await tracer.exposures()).map(({ verdict }) => verdict)).toEqual(['dismissed'])
    await federation.clock.advanceTo(START_MS + 10 * MINUTE)
    for (const person of [reporter, tracer]) {
      for (const fix of life(HERE, START_MS + 10 * MINUTE, 10)) await person.record(fix)
      while ((await person.sync()).marksLeft > 0);
    }
    while ((await tracer.sync()).marksLeft > 0);
    expect((await tracer.exposures()).map(({ verdict, blocks }) => [verdict, blocks.length])).toEqual([['new', 5]])
    await tracer.judge((await tracer.exposures())[0]!, 'confirmed')
    expect((await tracer.exposures())[0]!.verdict).toBe('confirmed')
    await expect(tracer.judge(met!, 'maybe' as 'new')).rejects.toThrow(TypeError)
  })
})
