import { describe, expect, it } from 'vitest'
import { formatReportCode } from '../../src/index.ts'
import { fakeFederation, life, openTracer, START_MS, seededBytes } from '../../src/testing/fake-federation.ts'
import { CAFE, MINUTE, recordAll } from '../fixture.ts'

const CODE = new Uint8Array(10).fill(7)

describe('a verdict', () => {
  it('a verdict stays with its exposure until a later fix makes the exposure new', async () => {
    const federation = await fakeFederation()
    federation.central.codes.set(Buffer.from(CODE).toString('hex'), 'accepted')
    const reporter = await openTracer(federation, { random: seededBytes('reporter') })
    const tracer = await openTracer(federation)
    await recordAll(reporter, life(CAFE, START_MS, 15))
    await recordAll(tracer, life(CAFE, START_MS, 15))
    await tracer.sync()
    await reporter.report(formatReportCode(CODE))
    while ((await tracer.sync()).marksLeft > 0);
    const [met] = await tracer.exposures()
    expect(met!.verdict).toBe('new')
    await tracer.judge(met!, 'dismissed')
    expect((await tracer.exposures()).map(({ verdict }) => verdict)).toEqual(['dismissed'])
    await federation.clock.advanceTo(START_MS + 10 * MINUTE)
    for (const person of [reporter, tracer]) {
      await recordAll(person, life(CAFE, START_MS + 10 * MINUTE, 10))
      while ((await person.sync()).marksLeft > 0);
    }
    while ((await tracer.sync()).marksLeft > 0);
    expect((await tracer.exposures()).map(({ verdict, blocks }) => [verdict, blocks.length])).toEqual([['new', 5]])
    await tracer.judge((await tracer.exposures())[0]!, 'confirmed')
    expect((await tracer.exposures())[0]!.verdict).toBe('confirmed')
    await expect(tracer.judge(met!, 'maybe' as 'new')).rejects.toThrow(TypeError)
  })
})
