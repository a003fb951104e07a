/** The central peer's run of a spread against real roles, over a store and disks in memory that outlive a killed process. */
import { setImmediate } from 'node:timers/promises'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { makeSlip } from '@geotrace/core-wasm/spread'
import { foundRoster, TEST_OPERATORS, testManifest, testSigner, testTrees } from '@geotrace/core-wasm/testing'
import {
  batchToParts,
  bytesToHex,
  concatBytes,
  DAY_MS,
  decodeSpreadRequest,
  EPOCH_MS,
  encodeDone,
  encodeSpreadRequest,
  equalBytes,
  FederationError,
  MINUTE_MS,
  manifestToId,
  peerIdToKey,
  type RosterPeer,
  SPREAD_PART_MAX,
  SPREAD_SLIP_BYTES,
  SPREAD_SLIPS_MAX,
  type SpreadRequest,
} from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Rounds } from '../../../src/central/rounds.ts'
import { spreadRun } from '../../../src/central/spread/spread-run.ts'
import type { CentralStore, ReportRecord } from '../../../src/central/store/central-store.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { createSpreadTable, type SpreadTable } from '../../../src/membership/spread-table.ts'
import { addressToRequester } from '../../../src/net/guard/requester.ts'
import type { Host } from '../../../src/net/protocol.ts'
import type { Records } from '../../../src/platform/file-records.ts'
import { silent } from '../../../src/platform/log.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { PeriodKeys } from '../../../src/spread/period-keys.ts'
import { roleRecords } from '../../../src/spread/role-records.ts'
import { RoleService } from '../../../src/spread/role-service.ts'
import { deposit } from '../store/sample.ts'

const DAY = 20_790
const PERIOD = DAY + 1
const BUCKETS = 7
const SPREAD_PARTS = SPREAD_SLIPS_MAX / SPREAD_PART_MAX
const ROUND_MS = 5 * MINUTE_MS
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 4_000 }
const manifest = testManifest({ spread, shards: 1 }, DAY * DAY_MS - 4 * EPOCH_MS)
const certified = foundRoster(manifest, testTrees(manifest))
const federation = manifestToId(manifest)
const centralKey = peerIdToKey(manifest.central.peerId)
const from = { key: centralKey, ...addressToRequester('/ip4/127.0.0.1/tcp/1') }

function memoryRecords(): Records {
  const files = new Map<string, Uint8Array>()
  return {
    get: async (name) => files.get(name)?.slice(),
    put: async (name, value) => void files.set(name, value.slice()),
    update: async (name, change) => void files.set(name, change(files.get(name))),
    remove: async (name) => void files.delete(name),
  }
}

class Death extends Error {}

describe('the run of a spread', () => {
  let clock: SimulatedClock
  let table: SpreadTable
  let rule: SpreadRule
  let store: CentralStore
  let roles: Map<'mixer' | 'teller', { service: RoleService; restart(): void }>
  let asked: SpreadRequest[]
  let published: Uint8Array[]
  let running: Rounds | undefined
  /** The central peer dies when it has sent so many requests. */
  let lives: number
  let reachable: boolean
  let peersMs: () => number | undefined

  beforeEach(begin)
  afterEach(async () => {
    await running?.stop()
  })

  async function begin() {
    clock = simulatedClock(DAY * DAY_MS)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    rule = table.ruleOf(PERIOD)!
    store = memoryStore()
    asked = []
    published = []
    lives = Number.POSITIVE_INFINITY
    reachable = true
    peersMs = () => clock.now()
    roles = new Map([
      ['mixer', await openRole(rule.mixer)],
      ['teller', await openRole(rule.teller)],
    ])
  }

  async function openRole({ key }: RosterPeer) {
    const signer = TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find((item) => equalBytes(item.key, key))!
    const records = roleRecords(memoryRecords())
    const shared = { federation, signer, table, records, clock, random: systemRandom, log: silent }
    const open = () => new RoleService({ ...shared, centralKey, publish: () => {}, pause: setImmediate })
    const announce = (item: Parameters<ConstructorParameters<typeof PeriodKeys>[0]['announce']>[0]) =>
      void table.take({ kind: 'spread-key', ...item })
    await new PeriodKeys({ ...shared, announce, forget: () => {} }).check()
    const role = { service: open(), restart: () => void (role.service = open()) }
    return role
  }

  const host: Pick<Host, 'request'> = {
    async request(peer, _protocol, bytes) {
      if (lives-- <= 0) throw new Death()
      if (!reachable) throw new FederationError('PEER_UNREACHABLE', 'away', { tried: 1 })
      asked.push(decodeSpreadRequest(bytes))
      const role = equalBytes(peer.key, rule.mixer.key) ? 'mixer' : 'teller'
      return await roles.get(role)!.service.handle(bytes, from)
    },
  }
  function startRun() {
    const say: Parameters<typeof spreadRun>[0]['say'] = (message) => {
      if (message.kind !== 'spread') return
      published.push(message.spread)
      table.take(message)
    }
    const peers = { withKey: () => undefined }
    const sources = { federation, store, host, peers, table, say, peersMs: async () => peersMs() }
    running = spreadRun({ ...sources, clock, random: systemRandom, log: silent })
    running.start()
  }
  const slipKeys = () => ({
    mixer: table.keyOf(PERIOD, rule.mixer.key)!.slipKey,
    teller: table.keyOf(PERIOD, rule.teller.key)!.slipKey,
  })
  const report = (id: number, state: ReportRecord['state'] = 'active'): ReportRecord => ({
    ...{ id, user: id, at: DAY * DAY_MS, from: 0, until: 1, state },
  })
  async function putSlips(buckets: readonly number[], first = 1, state?: ReportRecord['state']) {
    for (const [i, bucket] of buckets.entries()) {
      const bytes = makeSlip({ federation, period: PERIOD }, slipKeys(), bucket, systemRandom)
      await store.deposit(
        deposit(first + i, first + i, [], {
          reports: [report(first + i, state)],
          slip: { period: PERIOD, report: first + i, bytes },
        }),
      )
    }
  }
  const EVEN = [...Array(24).keys()].map((i) => i % (BUCKETS + 1))
  const END_MS = (PERIOD + 1) * DAY_MS

  /** Lets rounds go by until something holds. */
  async function until(done: () => boolean | Promise<boolean>) {
    while (!(await done())) {
      for (let i = 0; i < 20; i++) await setImmediate()
      await clock.advanceTo(clock.now() + ROUND_MS)
      expect(clock.now()).toBeLessThan(END_MS + 2 * DAY_MS)
    }
  }
  const isDone = async () => (await store.slipPeriods()).length === 0
  const countsOf = () => table.spreadOf(PERIOD)!.counts

  it('counts the slips of an ended period without those of retracted reports, publishes and deletes', async () => {
    await putSlips(EVEN)
    await putSlips(Array(30).fill(5), 100, 'retracted')
    startRun()
    await clock.advanceTo(END_MS - 1)
    expect(asked).toEqual([])
    await until(isDone)
    // At ε = 4 both noises together are above 6 once in 10¹⁰ counts.
    for (const count of countsOf()) expect(Math.abs(count - 3)).toBeLessThanOrEqual(6)
    expect(published.length).toBe(1)
    expect(asked.map(({ op }) => op)).toEqual(['counted', 'mixed', 'slips', 'counted', 'mixed', 'items', 'counted'])
    expect(await store.batchOf(PERIOD)).toBeUndefined()
  })

  it('a central peer that is killed after any request goes on with the same batch, and one spread comes of it', async () => {
    for (const requests of [0, 1, 2, 3, 4, 5, 6, 7]) {
      await begin()
      await putSlips(EVEN)
      lives = requests
      startRun()
      await until(() => lives < 0 || isDone())
      await running!.stop()
      lives = Number.POSITIVE_INFINITY
      startRun()
      await until(isDone)
      await running!.stop()
      const batches = asked.flatMap((request) => (request.op === 'slips' ? [Buffer.from(request.batch)] : []))
      expect(new Set(batches.map(String)).size, `${requests}`).toBe(1)
      expect(published.every((item) => equalBytes(item, published[0]!))).toBe(true)
      for (const count of countsOf()) expect(Math.abs(count - 3)).toBeLessThanOrEqual(6)
    }
  })

  it('a role that restarts in the middle of its work gets the same batch again, whatever was withdrawn meanwhile', async () => {
    await putSlips(EVEN)
    startRun()
    const gets = (op: SpreadRequest['op']) => () => asked.filter((request) => request.op === op).length
    for (const [role, op] of [
      ['mixer', 'slips'],
      ['teller', 'items'],
    ] as const) {
      const { service, restart } = roles.get(role)!
      const handle = service.handle
      // The role stops as soon as it has the batch, and so leaves no output.
      Object.assign(service, {
        handle: async (...request: Parameters<typeof handle>) => {
          const reply = await handle(...request)
          if (decodeSpreadRequest(request[0]).op === op) await service.stop()
          return reply
        },
      })
      await until(() => gets(op)() > 0)
      restart()
      // A withdrawal comes too late to change the batch.
      await store.deposit(deposit(1, op === 'slips' ? 1_001 : 1_002, [], { reports: [], isWithdrawal: true }))
      expect(await store.takeSlips(PERIOD)).toEqual([])
      expect(await store.batchOf(PERIOD)).toHaveLength(EVEN.length * SPREAD_SLIP_BYTES)
    }
    await until(isDone)
    expect([gets('slips')(), gets('items')()]).toEqual([2, 2])
    for (const count of countsOf()) expect(Math.abs(count - 3)).toBeLessThanOrEqual(6)
  })

  it('no role is called for fewer slips than the minimum, and they are deleted', async () => {
    await putSlips(EVEN.slice(0, spread.minimum - 1))
    await putSlips(EVEN, 100, 'rejected')
    startRun()
    await until(isDone)
    expect(asked).toEqual([])
    expect(published).toEqual([])
  })

  it('too many slips for a batch are drawn from once, and come sorted by their bytes', async () => {
    const more = SPREAD_SLIPS_MAX + 200
    const bytes = systemRandom(more * 8)
    for (let i = 0; i < more; i++) {
      const slip = new Uint8Array(SPREAD_SLIP_BYTES)
      slip.set(bytes.subarray(i * 8, i * 8 + 8))
      await store.deposit(deposit(i, i, [], { reports: [], slip: { period: PERIOD, report: i + 1, bytes: slip } }))
    }
    const handle = async (request: Uint8Array) => {
      if (decodeSpreadRequest(request).op === 'mixed') throw new FederationError('BUSY', 'working', { retryAfterMs: 1 })
      return encodeDone()
    }
    Object.assign(roles.get('mixer')!.service, { handle })
    await clock.advanceTo(END_MS)
    startRun()
    const parts = () => asked.flatMap((request) => (request.op === 'slips' ? [request] : []))
    await until(() => parts().length >= 2 * SPREAD_PARTS)
    expect(parts()[0]!.parts).toBe(SPREAD_PARTS)
    const first = parts().slice(0, SPREAD_PARTS)
    const batch = concatBytes(...first.map(({ content }) => content))
    expect(batch.length).toBe(SPREAD_SLIPS_MAX * SPREAD_SLIP_BYTES)
    const slips = Array.from({ length: SPREAD_SLIPS_MAX }, (_, i) =>
      batch.subarray(i * SPREAD_SLIP_BYTES, (i + 1) * SPREAD_SLIP_BYTES),
    )
    expect(slips.every((slip, i) => i === 0 || Buffer.compare(slips[i - 1]!, slip) < 0)).toBe(true)
    expect(new Set(parts().map((part) => bytesToHex(part.batch))).size).toBe(1)
  })

  it('a period that a role cannot count is given up at once', async () => {
    await putSlips(EVEN)
    const others = EVEN.map((bucket, i) => ({
      report: i,
      bytes: makeSlip({ federation, period: PERIOD }, slipKeys(), bucket, systemRandom),
    }))
    await clock.advanceTo(END_MS)
    const other = concatBytes(...others.map(({ bytes }) => bytes))
    for (const part of batchToParts(other, SPREAD_SLIP_BYTES))
      await roles.get('mixer')!.service.handle(encodeSpreadRequest({ op: 'slips', period: PERIOD, ...part }), from)
    roles.get('mixer')!.restart()
    startRun()
    await until(isDone)
    expect(published).toEqual([])
  })

  it('slips wait for roles that cannot be reached, but not longer than 14 days after the period', async () => {
    await putSlips(EVEN)
    reachable = false
    startRun()
    await clock.jumpTo(END_MS + 14 * DAY_MS - ROUND_MS)
    await clock.advanceTo(END_MS + 14 * DAY_MS - 1)
    expect(await store.batchOf(PERIOD)).toHaveLength(EVEN.length * SPREAD_SLIP_BYTES)
    await clock.advanceTo(END_MS + 14 * DAY_MS + ROUND_MS)
    expect(await store.slipPeriods()).toEqual([])
  })

  it('a clock that runs ahead of the peers ends no period and deletes no slip', async () => {
    await putSlips(EVEN)
    startRun()
    peersMs = () => END_MS - 1
    await clock.jumpTo(END_MS + 15 * DAY_MS)
    await clock.advanceTo(END_MS + 15 * DAY_MS + 2 * ROUND_MS)
    peersMs = () => undefined
    await clock.advanceTo(END_MS + 15 * DAY_MS + 4 * ROUND_MS)
    expect(await store.takeSlips(PERIOD)).toHaveLength(EVEN.length)
    expect(asked).toEqual([])
  })

  it('a spread that its teller did not sign is not published, and the slips stay', async () => {
    await putSlips(EVEN)
    const { service } = roles.get('teller')!
    const handle = service.handle
    let lies = 0
    Object.assign(service, {
      handle: async (...request: Parameters<typeof handle>) => {
        const reply = await handle(...request)
        if (decodeSpreadRequest(request[0]).op === 'counted' && lies++ < 3) reply[reply.length - 1]! ^= 1
        return reply
      },
    })
    startRun()
    await until(() => lies === 3)
    expect(table.spreadOf(PERIOD)).toBeUndefined()
    expect(await store.batchOf(PERIOD)).toHaveLength(EVEN.length * SPREAD_SLIP_BYTES)
    await until(isDone)
    expect(table.spreadOf(PERIOD)).toBeDefined()
  })
})
