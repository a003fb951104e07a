import { describe, expect, it } from 'vitest'
import type { Tracer } from '../../src/index.ts'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, diaryOf, MINUTE, recordAll, uncut } from '../fixture.ts'

async function states(tracer: Tracer): Promise<string[]> {
  return (await diaryOf(tracer)).map(({ state }) => state)
}

describe('the diary', () => {
  it('the diary shows the state of each fix, from open to deposited or lost', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 10))
    await tracer.record({ ...CAFE, accuracyM: 5, at: START_MS })
    expect(await states(tracer)).toEqual(['waiting', 'waiting', 'open'])
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(await states(tracer)).toEqual(['hashed', 'hashed', 'open'])
    uncut(federation)
    await tracer.sync()
    expect(await states(tracer)).toEqual(['deposited', 'deposited', 'open'])
    await federation.clock.advanceTo(START_MS + 200 * MINUTE)
    await tracer.sync()
    expect(await states(tracer)).toEqual(['deposited', 'deposited', 'lost'])
  })

  it('the diary shows hashed fixes as held while home is unknown, and as lost when their epoch takes no deposits any more', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    await recordAll(tracer, life(CAFE, START_MS, 10))
    await tracer.sync()
    expect(await states(tracer)).toEqual(['held', 'held'])
    await federation.clock.advanceTo(START_MS + 52 * 60 * MINUTE)
    expect((await tracer.sync()).rowsLost).toBeGreaterThan(0)
    expect(await states(tracer)).toEqual(['lost', 'lost'])
  })
})
