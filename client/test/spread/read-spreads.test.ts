import { testSpread } from '@geotrace/core-wasm/testing'
import {
  DAY_MS,
  decodeRosterRequest,
  encodeRosterReply,
  encodeSpread,
  manifestToId,
  ROSTER_PROTOCOL,
  type Spread,
} from '@geotrace/core-wasm/wire'
import { cellToParent, latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { type FakeFederation, fakeFederation, openTracer } from '../../src/testing/fake-federation.ts'
import { CAFE, cut, HOUR, lastingStorage, uncut } from '../fixture.ts'
import { PERIOD, SPREAD, spreadFederation } from './spread-federation.ts'

const counts = Array.from({ length: 50 }, (_, i) => (i === 0 ? 40 : 20 + i))

/** Members whose name passes hand out these spreads, and the others none. */
function publish(federation: FakeFederation, spreads: readonly Spread[], passes = (_peer: string) => true): string[] {
  const asked: string[] = []
  federation.intercept = async (peer, protocol, frame, serve) => {
    const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
    if (request?.op !== 'spread') return serve(frame)
    asked.push(peer)
    const found = passes(peer) ? spreads.find(({ period }) => period === request.period) : undefined
    return encodeRosterReply(found && encodeSpread(found))
  }
  return asked
}

/** A federation whose first period ended an hour ago, and its counts. */
async function afterFirstPeriod() {
  const { federation } = await spreadFederation()
  await federation.clock.jumpTo((PERIOD + 1) * DAY_MS + HOUR)
  const spread = testSpread(federation.certified, manifestToId(federation.manifest), PERIOD, counts)
  return { federation, spread }
}

describe('the spread of a federation', () => {
  it('verified counts are shown with their cells, and the period under way is named', async () => {
    const { federation, spread } = await afterFirstPeriod()
    const asked = publish(federation, [spread])
    const tracer = await openTracer(federation)
    await tracer.sync()
    const { isCounted, periods, missing, running, refused } = await tracer.spread()
    expect({ isCounted, missing, refused }).toEqual({ isCounted: true, missing: [], refused: 0 })
    expect(running).toEqual({ fromMs: (PERIOD + 1) * DAY_MS, untilMs: (PERIOD + 2) * DAY_MS, minimum: 20 })
    expect(periods).toHaveLength(1)
    const [{ cells, threshold, elsewhere }] = periods as [(typeof periods)[0]]
    expect({ threshold, elsewhere, shown: cells.length }).toEqual({ threshold: 6, elsewhere: 40, shown: 49 })
    const area = latLngToCell(CAFE.lat, CAFE.lng, 4)
    expect(cells.every(({ cell }) => cellToParent(cell, 4) === area)).toBe(true)
    expect(asked).toHaveLength(1)
    expect(asked).not.toContain('office')
  })

  it('a member that withholds the counts is not the last one that is asked', async () => {
    const { federation, spread } = await afterFirstPeriod()
    let first: string | undefined
    publish(federation, [spread], (peer) => {
      first ??= peer
      return peer !== first
    })
    const tracer = await openTracer(federation)
    await tracer.sync()
    expect((await tracer.spread()).periods).toHaveLength(1)
  })

  it('counts that the teller did not sign are refused and counted as such', async () => {
    const { federation, spread } = await afterFirstPeriod()
    publish(federation, [{ ...spread, counts: counts.map((count) => count + 1) }])
    const tracer = await openTracer(federation)
    await tracer.sync()
    const { periods, missing, refused } = await tracer.spread()
    expect({ periods, refused }).toEqual({ periods: [], refused: 3 })
    expect(missing).toEqual([{ fromMs: PERIOD * DAY_MS, untilMs: (PERIOD + 1) * DAY_MS, minimum: 20 }])
  })

  it('a restarted device uses the rosters of its storage, and one that never synced says so', async () => {
    const { federation, spread } = await afterFirstPeriod()
    publish(federation, [spread])
    const storage = lastingStorage()
    const before = await openTracer(federation, { storage })
    await expect(before.spread()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', message: /sync first/ })
    await before.sync()
    await before.close()
    const after = await openTracer(federation, { storage })
    expect((await after.spread()).periods).toHaveLength(1)
    cut(federation, ROSTER_PROTOCOL)
    await expect(after.spread()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    uncut(federation)
  })

  it('a federation without a spread is named as one, and asks nobody', async () => {
    const federation = await fakeFederation()
    const asked = publish(federation, [])
    const tracer = await openTracer(federation)
    await tracer.sync()
    expect(await tracer.spread()).toEqual({
      isCounted: false,
      periods: [],
      missing: [],
      running: undefined,
      refused: 0,
    })
    expect(asked).toEqual([])
    expect(SPREAD.minimum).toBe(20)
  })
})
