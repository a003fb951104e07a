import { describe, expect, it } from 'vitest'
import { formatReportCode } from '../../src/index.ts'
import { fakeFederation, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { CAFE, lastingStorage, MINUTE } from '../fixture.ts'

const CODE = new Uint8Array(10).fill(7)

describe('consent', () => {
  it('recording, deposits and reports each wait for their consent, and stop when it is withdrawn', async () => {
    const federation = await fakeFederation()
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { consent: 'required', storage })
    const fix = { ...CAFE, accuracyM: 5, at: START_MS - MINUTE }
    const missing = (kind: string) => ({ code: 'CONSENT_MISSING', data: { kind } })
    expect(await tracer.record(fix)).toEqual({ accepted: false, reason: 'no-consent' })
    await expect(tracer.sync()).rejects.toMatchObject(missing('deposit'))
    await expect(tracer.report(formatReportCode(CODE))).rejects.toMatchObject(missing('report'))
    expect(federation.answered).toEqual([])
    expect(await tracer.consent.status()).toEqual({ record: false, deposit: false, report: false, spread: false })
    for (const kind of ['record', 'deposit'] as const) await tracer.consent.give(kind)
    const again = await openTracer(federation, { consent: 'required', storage })
    expect(await again.record(fix)).toEqual({ accepted: true })
    await again.sync()
    await again.consent.withdraw('deposit')
    await expect(again.sync()).rejects.toMatchObject(missing('deposit'))
    expect(await again.consent.status()).toEqual({ record: true, deposit: false, report: false, spread: false })
    await expect(again.consent.give('everything' as 'record')).rejects.toThrow(TypeError)
  })
})
