/** The lab shows what its tracers really sent, and Privacy tells what each party saw of a sync. */
import { describe, expect, it } from 'vitest'
import { runLab } from '../../app/src/lab/run.ts'
import { framesToSeen } from '../../app/src/seen.ts'
import { type SentFrame, watchedDialer } from '../../app/src/watched-dialer.ts'
import { fakeFederation, life, openTracer } from '../../src/testing/fake-federation.ts'
import { CAFE } from '../fixture.ts'

describe.each(['plain', 'threshold'] as const)('under the salting %s', (salting) => {
  it('the hashes that the lab computes step by step are the rows that the tracers deposited', async () => {
    const { ada, ben, rowsAtCentre, equal, evaluation, exposures, requests } = await runLab({
      ...{ distanceM: 2, gapMin: 3, salting },
    })
    const shown = [...ada.points, ...ben.points].map(({ hash }) => hash)
    expect(shown.sort()).toEqual(rowsAtCentre)
    expect(equal.length).toBeGreaterThan(0)
    expect(exposures).toHaveLength(1)
    const nodes = new Set(
      requests.filter(({ protocol, who }) => protocol === 'secrets' && who === 'Ada').map(({ to }) => to),
    )
    expect(nodes.size).toBe(salting === 'plain' ? 1 : 3)
    expect(evaluation?.key).toBe(salting === 'plain' ? undefined : ada.points[0]!.secret)
    expect(evaluation?.answers.length).toBe(salting === 'plain' ? undefined : 3)
  })

  it('the sight of each party on a sync follows from the frames that left the device', async () => {
    const federation = await fakeFederation({ salting, ...(salting === 'threshold' && { replicas: 5, threshold: 3 }) })
    const frames = new Map<number, SentFrame>()
    const dialer = watchedDialer(federation.dialer, (frame) => frames.set(frame.id, frame))
    const tracer = await openTracer(federation, { dialer })
    await tracer.sync()
    for (const fix of life(CAFE, federation.clock.now() - 10 * 60_000, 30)) await tracer.record(fix)
    const { bytesUp } = await tracer.sync()
    const last = [...frames.values()].filter(({ session }) => session === 1)
    const seen = framesToSeen(last, federation.manifest)
    expect(seen).toMatchObject({ bytes: bytesUp, isBlinded: salting === 'threshold' })
    expect(federation.manifest.parameters.syncRequestBytes.map((size) => size + 49)).toContain(seen.sealedBytes)
    expect(seen.nodes).toBe(salting === 'plain' ? 1 : 3)
    // Three cells in at most two epochs are padded to twelve elements an epoch. Plain salts are asked for by block.
    expect(seen.items).toBeGreaterThanOrEqual(salting === 'plain' ? 5 : 12)
    expect(seen.until - seen.from).toBeGreaterThanOrEqual(30 * 60_000)
    await tracer.close()
  })
})
