import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, recordAll } from '../fixture.ts'

describe('a refused group', () => {
  it('a group refused for its roster waits while the epoch has no pin and no other roster is in force', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.central.refuse = () => 'roster'
    const refused = await tracer.sync()
    expect(refused).toMatchObject({ rowsDeposited: 0, fixesAgain: 0, rowsLost: 0, batches: 1 })
    expect(refused.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const later = await tracer.sync()
    expect(later).toMatchObject({ fixesHashed: 0, rowsDeposited: refused.rowsRefused })
  })

  it('a group refused as too old is counted lost, and a group refused as too new is sent later', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 80, 0.001))
    const current = Math.floor(START_MS / EPOCH_MS)
    federation.central.refuse = ({ epoch }) => (epoch < current ? 'too-old' : epoch > current ? 'too-new' : undefined)
    const result = await tracer.sync()
    expect(result.rowsLost).toBeGreaterThan(0)
    expect(result.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const later = await tracer.sync()
    expect(later).toMatchObject({ rowsLost: 0, rowsRefused: 0, fixesHashed: 0 })
    expect(result.rowsDeposited + result.rowsLost + later.rowsDeposited).toBe(result.points)
  })
})
