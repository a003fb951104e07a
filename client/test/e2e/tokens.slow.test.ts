/**
 * A carrier's address: many devices with tokens sync behind it within an hour of simulated time. Together they need more
 * evaluations than the address has. Peers, streams and cryptography are real. DEVICES says how many.
 * Last run (2026-11, two shared cores, load 20): 100 of 100 devices in 71 CPU seconds. Each of three nodes made 7,200
 * evaluations for them, where the address has 6,136. A thousand devices were not run yet.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCore, simulatedClock } from '@geotrace/core-wasm'
import { isFederationError } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTracer, libp2pDialer, memoryStorage, type Tracer } from '../../src/node.ts'
import { life } from '../../src/testing/fake-federation.ts'

const DEVICES = Number(process.env.DEVICES ?? 100)
/** Relays take 4 · D frames an hour of one address: one sync and one more for each device, through five relays. */
const DEVICES_PER_ADDRESS = Math.ceil(DEVICES / 8)
const HOUR = 3_600_000
const START = Date.UTC(2026, 10, 21, 2)
/** The node's quota of an address (PROTOCOL.md §5.10), at once and in an hour. */
const ADDRESS_EVALUATIONS = DEVICES_PER_ADDRESS * (432 + 40)
/** Errors of a machine with much other work. */
const PASSING = ['BUSY', 'PEER_TIMEOUT', 'PEER_UNREACHABLE'] as const

describe('a carrier with one address', () => {
  const clock = simulatedClock(START)
  const tracers: Tracer[] = []
  let dir: string
  let federation: LocalFederation
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-carrier-'))
    const parameters = { shards: 1, devicesPerAddress: DEVICES_PER_ADDRESS }
    federation = await startFederation({ dir, clock, parameters, tokensPerDay: 4 })
  }, 300_000)
  afterAll(async () => {
    await Promise.all(tracers.map((tracer) => tracer.close()))
    await federation?.stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  })

  /** A busy machine puts a device off, which asks again. */
  async function patiently<T>(task: () => Promise<T>, isDone: (value: T) => boolean = () => true): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const value = await task()
        if (isDone(value) || tries === 20) return value
      } catch (error) {
        const isPassing = PASSING.some((code) => isFederationError(error, code))
        if (!isPassing || tries === 20) throw error
      }
    }
  }

  it('all devices sync in one hour, each by its own tokens', { timeout: 4 * HOUR }, async () => {
    const core = await loadCore()
    const { manifest, central } = federation
    const { codes } = await central.issueEnrolmentCodes({ count: DEVICES })
    // In the night each device asks for the keys of one fix, so that it knows its members, and enrols.
    const night = life({ lat: 52.52, lng: 13.405 }, START - 5 * 60_000, 5)
    for (const [i, code] of codes.entries()) {
      await clock.jumpTo(Math.max(clock.now(), START + Math.floor((i * 2 * HOUR) / DEVICES)))
      const dialer = libp2pDialer()
      const tracer = await createTracer({
        ...{ federation: manifest, core, clock, dialer, storage: memoryStorage(), redaction: false },
      })
      tracers.push(tracer)
      for (const fix of night) await tracer.record(fix)
      await patiently(
        () => tracer.sync(),
        ({ fixesDeferred }) => fixesDeferred === 0,
      )
      const tokens = await tracer.tokens()
      const { isEnrolled, today } = await patiently(() => tokens.enrol(code))
      expect([isEnrolled, today]).toEqual([true, 3])
    }
    // In the morning all walk for an hour, and sync one after the other in the next hour.
    const walked = START + 6 * HOUR
    const walk = life({ lat: 52.53, lng: 13.405 }, walked, 60, 0.001)
    await clock.jumpTo(walked)
    for (const tracer of tracers) for (const fix of walk) await tracer.record(fix)
    let [synced, evaluations] = [0, 0]
    for (const [i, tracer] of tracers.entries()) {
      await clock.jumpTo(walked + 6 * 60_000 + Math.floor((i * HOUR) / DEVICES))
      const result = await patiently(
        () => tracer.sync(),
        ({ fixesDeferred }) => fixesDeferred === 0,
      )
      evaluations += result.evaluationsPadded
      if (result.fixesDeferred + result.fixesLost === 0 && result.fixesHashed > 0) synced++
    }
    process.stdout.write(`${synced} of ${DEVICES} devices, ${evaluations} evaluations at each of three nodes, `)
    process.stdout.write(`where the address has ${ADDRESS_EVALUATIONS}\n`)
    expect(synced).toBe(DEVICES)
    expect(evaluations).toBeGreaterThan(ADDRESS_EVALUATIONS)
  })
})
