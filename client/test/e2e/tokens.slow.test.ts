/**
 * A carrier's address: many devices with tokens sync behind it within an hour of simulated time. Together they need more
 * evaluations than the address has, and more frames than its relays take. D is 16 for 1,000 devices, as for everybody. They
 * enrol over twenty hours, because a device without tokens is counted by its address. DEVICES says how many.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCore, simulatedClock } from '@geotrace/core-wasm'
import { isFederationError, openPaidFrame, RELAY_PROTOCOL } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTracer, type Dialer, libp2pDialer, memoryStorage, type Tracer } from '../../src/node.ts'
import { life } from '../../src/testing/fake-federation.ts'

const DEVICES = Number(process.env.DEVICES ?? 125)
/** 16 for 1,000 devices. Then fifty enrol in an hour, with five frames each, and five relays take 64 frames each. */
const DEVICES_PER_ADDRESS = Math.ceil(DEVICES / 62.5)
const HOUR = 3_600_000
const START = Date.UTC(2026, 10, 21, 0, 10)
/** The frames of an hour that five relays take of one address: at once, and while they are refilled. */
const ADDRESS_FRAMES = 5 * 4 * DEVICES_PER_ADDRESS * 2
/** The node's quota of an address (PROTOCOL.md §5.10), at once and in an hour. */
const ADDRESS_EVALUATIONS = DEVICES_PER_ADDRESS * (432 + 40)
/** Errors of a machine with much other work. */
const PASSING = ['BUSY', 'PEER_TIMEOUT', 'PEER_UNREACHABLE'] as const

/** Frames that relays took: paid by a token, and charged to the address. */
const frames = { paid: 0, bare: 0 }

/** Counts the frames that relays take. */
function countingDialer(counted: typeof frames): Dialer {
  const dialer = libp2pDialer()
  return {
    async open() {
      const session = await dialer.open()
      return {
        close: () => session.close(),
        async request(peer, protocol, frame, options) {
          const reply = await session.request(peer, protocol, frame, options)
          if (protocol.id === RELAY_PROTOCOL.id && reply[0] === 0)
            counted[openPaidFrame(frame).token === undefined ? 'bare' : 'paid']++
          return reply
        },
      }
    },
  }
}

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
    // Each device asks for the keys of one fix, so that it knows its members, and enrols.
    for (const [i, code] of codes.entries()) {
      await clock.jumpTo(Math.max(clock.now(), START + Math.floor((i * 20 * HOUR) / DEVICES)))
      const tracer = await createTracer({
        ...{ federation: manifest, core, clock, dialer: countingDialer(frames), storage: memoryStorage() },
        redaction: false,
      })
      tracers.push(tracer)
      for (const fix of life({ lat: 52.52, lng: 13.405 }, clock.now() - 10 * 60_000, 5)) await tracer.record(fix)
      await patiently(
        () => tracer.sync(),
        ({ fixesDeferred }) => fixesDeferred === 0,
      )
      const tokens = await tracer.tokens()
      const { isEnrolled, today } = await patiently(() => tokens.enrol(code))
      expect([isEnrolled, today]).toEqual([true, 3])
    }
    // In the evening all walk for an hour, and sync one after the other in the next hour.
    const walked = START + 21.2 * HOUR
    const walk = life({ lat: 52.53, lng: 13.405 }, walked, 60, 0.001)
    await clock.jumpTo(walked)
    for (const tracer of tracers) for (const fix of walk) await tracer.record(fix)
    let [synced, evaluations] = [0, 0]
    Object.assign(frames, { paid: 0, bare: 0 })
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
    process.stdout.write(`where the address has ${ADDRESS_EVALUATIONS}; ${frames.paid} frames to relays with a token, `)
    process.stdout.write(`${frames.bare} by the address, which has ${ADDRESS_FRAMES}\n`)
    expect(synced).toBe(DEVICES)
    expect(evaluations).toBeGreaterThan(ADDRESS_EVALUATIONS)
    expect(frames.paid + frames.bare).toBeGreaterThan(ADDRESS_FRAMES)
  })
})
