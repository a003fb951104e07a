/** A federation with a spread on loopback: its members announce keys, and its central peer has the slips of a period counted. */
import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { makeSlip } from '@geotrace/core-wasm/spread'
import {
  bytesToHex,
  DAY_MS,
  encodeSpread,
  isValidSpread,
  isValidSpreadKey,
  MINUTE_MS,
  manifestToId,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { DEMO_AUTHORITY } from '../../src/local/local-federation.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type LocalFederation, startFederation } from '../../src/testing/index.ts'
import { deposit } from '../central/store/sample.ts'
import { centralAgain, storeOf, until } from './local.ts'

const DAY = 20_790
const PERIOD = DAY + 1
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 4_000 }
const SLIPS = 24
const BUCKETS = 7

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

describe('a federation with a spread', () => {
  let federation: LocalFederation | undefined
  let dir: string
  afterEach(async () => {
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('the two drawn members announce their keys, every peer has them, and only their disks have the secrets', async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-spread-'))
    const clock = simulatedClock(DAY * DAY_MS + 30 * MINUTE_MS)
    const running = await startFederation({ dir, clock, parameters: { spread } })
    federation = running
    await clock.advanceTo(clock.now() + 6 * MINUTE_MS)
    const tables = [...running.saltNodes, running.central].map((peer) => peer.membership()!.pool.spreads)
    const rule = tables[0]!.ruleOf(DAY + 1)!
    const keysAt = (i: number) => [rule.mixer, rule.teller].map(({ key }) => tables[i]!.keyOf(DAY + 1, key))
    await expect
      .poll(() => tables.every((_, i) => keysAt(i).every((key) => key !== undefined)), { timeout: 60_000 })
      .toBe(true)
    const namesAt = (i: number) => keysAt(i).map((key) => bytesToHex(key!.slipKey))
    for (const [i] of tables.entries()) expect(namesAt(i)).toEqual(namesAt(0))
    for (const key of keysAt(0)) expect(isValidSpreadKey(key!, manifestToId(running.manifest))).toBe(true)
    const files = await Promise.all(
      running.manifest.members.map(({ operator }) => readdir(join(dir, operator, 'spread')).catch((): string[] => [])),
    )
    const drawn = [rule.mixer, rule.teller].map(({ operator }) => rule.certified.roster.operators[operator]!.name)
    const holders = running.manifest.members.filter((_, i) => files[i]!.includes(`key-${DAY + 1}`))
    expect(holders.map(({ operator }) => operator).sort()).toEqual(drawn.sort())
  }, 600_000)

  it('slips of a period become a spread that every peer has, although the central peer ends between mixing and counting', async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-spread-'))
    const clock = simulatedClock(DAY * DAY_MS + 30 * MINUTE_MS)
    const running = await startFederation({ dir, clock, parameters: { spread } })
    federation = running
    const tables = () => running.saltNodes.map((peer) => peer.membership()!.pool.spreads)
    const rule = tables()[0]!.ruleOf(PERIOD)!
    const keyOf = (key: Uint8Array) => tables()[0]!.keyOf(PERIOD, key)?.slipKey
    await until(clock, () => keyOf(rule.mixer.key) !== undefined && keyOf(rule.teller.key) !== undefined)

    await running.central.stop()
    const centralDir = join(dir, DEMO_AUTHORITY)
    const openStore = () => storeOf(centralDir, clock)
    const context = { federation: manifestToId(running.manifest), period: PERIOD }
    const keys = { mixer: keyOf(rule.mixer.key)!, teller: keyOf(rule.teller.key)! }
    const store = await openStore()
    for (let i = 0; i < SLIPS; i++) {
      const bytes = makeSlip(context, keys, i % (BUCKETS + 1), systemRandom)
      const report = await store.nextReport()
      await store.deposit(deposit(i + 1, i, [], { reports: [], slip: { period: PERIOD, report, bytes } }))
    }
    await store.close()

    // To the end of the period at once, as after the sleep of all machines.
    await clock.jumpTo((PERIOD + 1) * DAY_MS + 1)
    const { name } = rule.certified.roster.operators[rule.mixer.operator]!
    let central = centralAgain(running, centralDir, clock)
    try {
      await central.start()
      await until(clock, () => isThere(join(dir, name, 'spread', `output-${PERIOD}`)))
      await central.stop()
      expect(tables().every((table) => table.spreadOf(PERIOD) === undefined)).toBe(true)
      central = centralAgain(running, centralDir, clock)
      await central.start()
      const all = () => [...tables(), central.membership()!.pool.spreads]
      await until(clock, () => all().every((table) => table.spreadOf(PERIOD) !== undefined))
      const found = all().map((table) => table.spreadOf(PERIOD)!)
      for (const item of found) expect(encodeSpread(item)).toEqual(encodeSpread(found[0]!))
      expect(isValidSpread(found[0]!, rule.teller.key)).toBe(true)
      // At ε = 4 both noises together are above 6 once in 10¹⁰ counts.
      for (const count of found[0]!.counts) expect(Math.abs(count - SLIPS / (BUCKETS + 1))).toBeLessThanOrEqual(6)
      // The next rounds delete the slips of the central peer and the secrets of the roles.
      await until(clock, async () => !(await isThere(join(dir, name, 'spread', `key-${PERIOD}`))))
      await clock.advanceTo(clock.now() + 6 * MINUTE_MS)
    } finally {
      await central.stop()
    }
    const after = await openStore()
    expect(await after.slipPeriods()).toEqual([])
    await after.close()
  }, 600_000)
})
