/** The whole system with real peers on loopback: five salt nodes, a central peer, and streams over libp2p. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTracer, levelStorage, libp2pDialer, type Tracer } from '../../src/node.ts'
import { life } from '../../src/testing/fake-federation.ts'

const MINUTE = 60_000
const CAFE = { lat: 52.52, lng: 13.405 }
const ELSEWHERE = { lat: 52.6, lng: 13.5 }

const SALTINGS = [
  ['plain', { salting: 'plain', threshold: 1 }],
  ['threshold, 1 of 3', { salting: 'threshold', threshold: 1, replicas: 3 }],
  ['threshold, 3 of 5', { salting: 'threshold', threshold: 3, replicas: 5 }],
] as const

describe.each(SALTINGS)('under the salting %s', (_, parameters) => {
  let dir: string
  let federation: LocalFederation
  const tracers: Tracer[] = []

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-client-'))
    tracers.length = 0
    federation = await startFederation({ dir: join(dir, 'federation'), parameters })
  })
  afterAll(async () => {
    await Promise.all(tracers.map((tracer) => tracer.close()))
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  /** A device with fixes of `stays`: [place, from, to], in minutes ago. */
  async function person(name: string, stays: [typeof CAFE, number, number][]): Promise<Tracer> {
    const tracer = await createTracer({
      federation: federation.manifest,
      storage: await levelStorage(join(dir, name)),
      dialer: libp2pDialer(),
      redaction: false,
    })
    tracers.push(tracer)
    for (const [place, from, to] of stays) {
      for (const fix of life(place, Date.now() - to * MINUTE, from - to)) {
        expect(await tracer.record(fix)).toEqual({ accepted: true })
      }
    }
    return tracer
  }

  it('people who were where a reporter was, at the time or after, get an exposure, and no other person does', {
    timeout: 120_000,
  }, async () => {
    const ada = await person('ada', [[CAFE, 70, 30]])
    const ben = await person('ben', [[CAFE, 60, 25]])
    const cleo = await person('cleo', [[CAFE, 20, 5]])
    const eve = await person('eve', [
      // Eve left longer than the longest block before Ada came.
      [CAFE, 170, 155],
      [ELSEWHERE, 120, 60],
    ])
    for (const tracer of [ben, cleo, eve]) {
      const result = await tracer.sync()
      expect(result).toMatchObject({ fixesDeferred: 0, fixesLost: 0, rowsRefused: 0, nodesLied: 0, report: 'none' })
      expect(result.rowsDeposited).toBe(result.points)
      expect(Math.abs(result.clockOffsetMs!)).toBeLessThan(5_000)
    }
    // One salt node stops, and the other replicas of its shards answer.
    await federation.saltNodes[0]!.stop()
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    await expect(ada.report('0000-0000-0000-0000')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    expect(await ada.report(code!)).toMatchObject({ report: 'accepted' })
    expect(await ada.report(code!, { testedAt: Date.now() })).toMatchObject({ report: 'updated' })
    await expect(ben.report(code!)).rejects.toMatchObject({ code: 'CODE_SPENT' })

    await federation.central.settled()
    for (const tracer of tracers) while ((await tracer.sync()).marksLeft > 0);
    const [met, ...others] = await ben.exposures()
    expect(others).toEqual([])
    expect(met).toMatchObject({ ...CAFE, degree: 1, lagMin: { from: 0, to: 5 } })
    expect(met!.same).toBeGreaterThan(0)
    const [after] = await cleo.exposures()
    expect(after!.matches).toBeGreaterThan(0)
    expect(after!.lagMin.to).toBeGreaterThan(5)
    expect(await eve.exposures()).toEqual([])
    expect(await ada.exposures()).toEqual([])

    await ben.eraseAll()
    expect(await ben.exposures()).toEqual([])
  })
})
