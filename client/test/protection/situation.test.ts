/** The status that a tracer reads from its own storage, in the situations in which an app must not give an all-clear. */

import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, HOUR, lastingStorage, MINUTE, recordAll, refused, uncut } from '../fixture.ts'

const fix = { ...CAFE, accuracyM: 5, at: START_MS - 10 * MINUTE }

describe('the status of a tracer', () => {
  it('a device whose location is denied is not protected, and neither is one that never synced', async () => {
    const tracer = await openTracer(await fakeFederation())
    const denied = await tracer.protection('denied')
    expect(denied.state).toBe('not-protected')
    expect(denied.reasons).toEqual(['location-denied', 'no-recent-position', 'never-synced', 'nothing-compared'])
    expect(denied.action).toBe('allow-location')
  })

  it('a device becomes protected with a fix, a sync and deposited rows, and names the compared hours', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: false })
    await recordAll(tracer, [fix])
    expect((await tracer.protection('granted')).reasons).toEqual(['never-synced', 'nothing-compared'])
    await tracer.sync()
    const { state, reasons, comparedMs, situation } = await tracer.protection('granted')
    expect({ state, reasons }).toEqual({ state: 'protected', reasons: [] })
    // One fix covers five minutes, although its hashes of longer blocks touch other epochs.
    expect(comparedMs).toBe(5 * MINUTE)
    expect(situation.compared).toEqual([{ epoch: Math.floor(fix.at / EPOCH_MS), minutes: 5 }])
    await federation.clock.advanceTo(federation.clock.now() + 4 * HOUR)
    expect((await tracer.protection('granted')).reasons).toEqual(['no-recent-position', 'sync-overdue'])
  })

  it('a device with inaccurate fixes only is not protected until a good fix comes', async () => {
    const tracer = await openTracer(await fakeFederation())
    expect(await tracer.record({ ...fix, accuracyM: 35 })).toEqual(refused('inaccurate'))
    const { reasons, action } = await tracer.protection('granted')
    expect([reasons[0], action]).toEqual(['only-inaccurate', 'go-outside'])
    await recordAll(tracer, [fix])
    expect((await tracer.protection('granted')).reasons).not.toContain('only-inaccurate')
  })

  it('a device on its first day holds its hashes, says so and asks for home', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: {} })
    await recordAll(tracer, life(CAFE, START_MS - 5 * MINUTE, 60))
    await tracer.sync()
    const { state, reasons, action, situation } = await tracer.protection('granted')
    expect([state, action]).toEqual(['not-protected', 'mark-home'])
    expect(reasons).toEqual(['home-unknown', 'nothing-compared'])
    expect(situation.fixesHeld).toBeGreaterThan(0)
  })

  it('missing consent and a pause are reasons of their own', async () => {
    const tracer = await openTracer(await fakeFederation(), { consent: 'required' })
    expect((await tracer.protection()).reasons).toEqual(
      expect.arrayContaining(['no-consent-record', 'no-consent-deposit']),
    )
    for (const kind of ['record', 'deposit'] as const) await tracer.consent.give(kind)
    await tracer.pause()
    const { reasons, action } = await tracer.protection('granted')
    expect([reasons[0], action]).toEqual(['paused', 'resume'])
  })

  it('lost fixes are shown for a day, also after a restart', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage, redaction: false })
    await recordAll(tracer, [fix])
    await federation.clock.advanceTo(federation.clock.now() + 5 * HOUR)
    await tracer.sync()
    const again = await openTracer(federation, { storage, redaction: false })
    expect((await again.protection('granted')).situation).toMatchObject({ fixesLost: 1 })
    expect((await again.protection('granted')).reasons).toContain('fixes-lost')
    await federation.clock.advanceTo(federation.clock.now() + 25 * HOUR)
    expect((await again.protection('granted')).reasons).not.toContain('fixes-lost')
  })

  it('a failed sync does not count as one', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation, { redaction: false })
    cut(federation, OPENED_SYNC)
    await recordAll(tracer, [fix])
    await expect(tracer.sync()).rejects.toThrow()
    expect((await tracer.protection('granted')).reasons).toContain('never-synced')
    uncut(federation)
    await tracer.sync()
    expect((await tracer.protection('granted')).reasons).not.toContain('never-synced')
  })
})
