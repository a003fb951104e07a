import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, keysOf, MINUTE, recordAll } from '../fixture.ts'

describe('forgetting', () => {
  it('a sync removes everything that is older than the retention', async () => {
    const federation = await fakeFederation({ retentionDays: 1 })
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.sync()
    await federation.clock.advanceTo(START_MS + 28 * 60 * MINUTE)
    await tracer.sync()
    const left = await keysOf(storage)
    expect(left.filter((key) => !key.startsWith('meta/') && !key.startsWith('roster/'))).toEqual([])
  })
})
