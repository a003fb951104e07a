import { decodeSyncRequest, SALT_PROTOCOL, stampMinute } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { fakeFederation, life, openTracer, START_MS } from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, MINUTE, recordAll } from '../fixture.ts'

const fix = { ...CAFE, accuracyM: 5, at: START_MS - 2 * MINUTE }

describe('a preview', () => {
  it('a preview counts what would leave the device, and changes nothing', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    await tracer.record({ ...fix, at: START_MS })
    expect(await tracer.preview()).toMatchObject({
      fixesWaiting: 6,
      fixesOpen: 1,
      epochs: [],
      batchBytes: 2048,
      report: false,
    })
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const preview = await tracer.preview()
    expect(preview.fixesWaiting).toBe(0)
    expect(preview.epochs.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(30)
    expect(preview.frozenBytes).toBeGreaterThanOrEqual(2048)
    expect(await tracer.preview()).toEqual(preview)
  })

  it('a preview shows the bytes of the frozen batch but for the minute, or of the next one but for the sync id', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const onItsWay = await tracer.preview()
    let sent: Uint8Array | undefined
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === OPENED_SYNC.id) sent ??= frame
      return serve(frame)
    }
    await tracer.sync()
    const { minute } = decodeSyncRequest(sent!, federation.manifest.parameters.syncRequestBytes)
    expect(minute).toBe(Math.floor(federation.clock.now() / MINUTE))
    expect(sent).toEqual(stampMinute(onItsWay.frame, minute))
    expect(onItsWay.frozenBytes).toBe(sent!.length)

    await federation.clock.advanceTo(START_MS + 10 * MINUTE)
    await recordAll(tracer, life(CAFE, START_MS + 10 * MINUTE, 10))
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
