/**
 * A spread from end to end. Real devices report through relays within a period, and some take their report back. The mixer, the
 * teller and the central peer make the published counts of the rest. The clock is simulated, all else is real.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTracer, memoryStorage, type Storage, type Tracer } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { spreadGrid } from '@geotrace/core-wasm/spread'
import { DAY_MS, HOUR_MS, isValidSpread, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CentralPeer } from '../../src/central/peer.ts'
import { DEMO_AUTHORITY } from '../../src/local/local-federation.ts'
import { type LocalFederation, loopbackAddresses, startFederation } from '../../src/testing/index.ts'
import { centralAgain, storeOf, until } from './local.ts'

const PERIOD = 20_791
const AREA = 36_771
const SPREAD = { areas: [AREA], resolution: 5, periodDays: 1, minimum: 20, epsilon: 4_000 }
/** Two places in different buckets. */
const PLACES = [
  { lat: 52.52, lng: 13.405 },
  { lat: 52.54, lng: 13.56 },
]
/** At ε = 4 both noises together are above 6 once in 10¹⁰ counts. */
const NOISE_MAX = 6
const REPORTERS = 30

interface Person {
  readonly tracer: Tracer
  readonly storage: Storage
}

describe('a spread period', () => {
  let dir: string
  let clock: SimulatedClock
  let federation: LocalFederation
  let central: CentralPeer
  let addresses: string[]
  const people: Person[] = []
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-spread-'))
    clock = simulatedClock((PERIOD - 1) * DAY_MS + 30 * MINUTE_MS)
    const parameters = { salting: 'plain', threshold: 1, spread: SPREAD } as const
    federation = await startFederation({ dir, clock, parameters })
    central = federation.central
    addresses = await loopbackAddresses(2, REPORTERS + 3)
  }, 600_000)
  afterAll(async () => {
    await Promise.all(people.map(({ tracer }) => tracer.close()))
    await central.stop()
    await federation.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const tables = () => [...federation.saltNodes, central].map((peer) => peer.membership()!.pool.spreads)

  /** A device with an imported history at one place. */
  async function person(place: (typeof PLACES)[number], agrees = true): Promise<Person> {
    const storage = { ...memoryStorage(), close: async () => {} }
    const tracer = await createTracer({
      federation: federation.manifest,
      core: federation.core,
      clock,
      storage,
      dialer: libp2pDialer({ localAddress: addresses[people.length]! }),
      redaction: false,
    })
    const one = { tracer, storage }
    people.push(one)
    await tracer.importHistory([{ ...place, accuracyM: 5, at: clock.now() - 5 * HOUR_MS }])
    if (agrees) await tracer.consent.give('spread')
    return one
  }
  const slipOf = async ({ storage }: Person) =>
    Buffer.from(JSON.parse(new TextDecoder().decode(await storage.get('meta/slip'))).bytes, 'hex')

  it('counts each report that is left with a place, and no slip stays on the disk of the central peer', async () => {
    const rule = tables()[0]!.ruleOf(PERIOD)!
    const drawn = [rule.mixer, rule.teller]
    await until(clock, () =>
      tables().every((table) => drawn.every(({ key }) => table.keyOf(PERIOD, key) !== undefined)),
    )
    await clock.jumpTo(PERIOD * DAY_MS + 12 * HOUR_MS)
    const { codes } = await central.issueCodes({ count: REPORTERS + 3, days: 1 })
    for (let i = 0; i < REPORTERS; i++) await person(PLACES[i % 3 === 0 ? 1 : 0]!)
    const quiet = await person(PLACES[0]!, false)
    const [withdrawn, erased] = [await person(PLACES[1]!), await person(PLACES[1]!)]
    for (const [i, { tracer }] of people.entries())
      expect(await tracer.report(codes[i]!)).toMatchObject({ report: 'accepted' })
    const slips = await Promise.all(people.map(slipOf))
    await withdrawn.tracer.withdraw('negative')
    await erased.tracer.eraseAll({ keepWarning: true })

    // The central peer has the slips of all others, and no more.
    const centralDir = join(dir, DEMO_AUTHORITY)
    await central.stop()
    const store = await storeOf(centralDir, clock)
    const kept = (await store.takeSlips(PERIOD)).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
    await store.close()
    const left = people.flatMap((one, i) => (one === withdrawn || one === erased ? [] : [slips[i]!.toString('hex')]))
    expect(kept.sort()).toEqual(left.sort())
    central = centralAgain(federation, centralDir, clock)
    await central.start()

    await clock.jumpTo((PERIOD + 1) * DAY_MS + 1)
    await until(clock, () => tables().every((table) => table.spreadOf(PERIOD) !== undefined))
    const [spread, ...others] = tables().map((table) => table.spreadOf(PERIOD)!)
    for (const other of others) expect([...other.counts]).toEqual([...spread!.counts])
    expect(isValidSpread(spread!, rule.teller.key)).toBe(true)
    const grid = spreadGrid([AREA], SPREAD.resolution)
    const bucketOf = ({ lat, lng }: (typeof PLACES)[number]) => grid.bucketOf(federation.core.fixToCells(lat, lng)[0])
    const expected = new Array<number>(1 + grid.buckets).fill(0)
    for (const [i, one] of people.slice(0, REPORTERS + 1).entries())
      expected[one === quiet ? 0 : bucketOf(PLACES[i % 3 === 0 ? 1 : 0]!)]!++
    expect(expected.filter((count) => count > 0).sort((a, b) => a - b)).toEqual([1, 10, 20])
    for (const [i, count] of spread!.counts.entries())
      expect(Math.abs(count - expected[i]!), `bucket ${i}`).toBeLessThanOrEqual(NOISE_MAX)

    await clock.advanceTo(clock.now() + 6 * MINUTE_MS)
    await central.stop()
    const after = await storeOf(centralDir, clock)
    expect(await after.slipPeriods()).toEqual([])
    await after.close()
    for (const entry of await readdir(centralDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const bytes = await readFile(join(entry.parentPath, entry.name))
      expect(slips.some((slip) => bytes.includes(slip))).toBe(false)
    }
  }, 600_000)
})
