import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTracer, type SyncResult } from '@geotrace/client'
import { levelStorage, libp2pDialer } from '@geotrace/client/node'
import { loadCore, systemClock } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { type FederationProcesses, startProcesses } from '../../src/cli/demo/processes.ts'
import { simulateResidents } from '../../src/cli/demo/residents.ts'
import { openTown } from '../../src/cli/demo/town.ts'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { askEvaluations } from './ask-secrets.ts'
import { countKnocks, type Knocks, sendPresence } from './knocks.ts'

/** Real processes of the built programs, and `kill -9`. */
const dir = mkdtempSync(join(tmpdir(), 'geotrace-kills-'))
const clock = systemClock()
let federation: FederationProcesses

beforeAll(async () => {
  federation = await startProcesses({ dir, degrees: 2 })
  await Promise.all(federation.peers.map((peer) => peer.serving()))
})
afterAll(async () => {
  await federation?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const statistics = async () =>
  (await adminRequest(federation.central.dir, 'GET', '/status')) as {
    users: number
    days: { rows: number }[]
    syncs: number
  }

describe('kill -9 of a salt node', () => {
  it('a killed salt node loses no sync of the residents, and comes back with the same share', async () => {
    const victim = federation.saltNodes[1]!
    const now = clock.now()
    const before = await askEvaluations(federation.manifest, victim.name, now)
    expect(new Set(before).size).toBe(12)

    const residents = simulateResidents(now, systemRandom)
    const town = await openTown({ manifest: federation.manifest, clock, residents, dir: join(dir, 'residents') })
    try {
      let killed: Promise<void> | undefined
      const results = await town.syncAll((name) => {
        if (name === 'ben') killed = victim.kill('SIGKILL')
      })
      await killed
      expect(victim.pid).toBeUndefined()
      expect(results).toHaveLength(residents.length)
      for (const { name, result } of results) {
        expect(result.fixesLost, name).toBe(0)
        // Only the fix of the current 5-minute block may wait.
        expect(result.fixesDeferred, name).toBeLessThanOrEqual(1)
        expect(result.rowsDeposited, `${name} ${JSON.stringify(result)}`).toBeGreaterThan(50)
      }
    } finally {
      await town.close()
    }

    victim.restart()
    await victim.serving()
    // The seeds of its six parts came from the other replicas, because a node that lacks one does not serve.
    expect(await askEvaluations(federation.manifest, victim.name, now)).toEqual(before)
  })
})

describe('kill -9 of the central peer in the middle of deposits', () => {
  // Meanwhile the peers look for a stopped member, whose presence names ports of a stranger.
  const LIAR = 'fir'
  const STRANGER = '127.66.0.1'
  let [stranger, listed]: (Knocks | undefined)[] = []
  beforeAll(async () => {
    await federation.saltNodes.find(({ name }) => name === LIAR)!.kill('SIGKILL')
    const own = federation.manifest.members.find(({ operator }) => operator === LIAR)!.addresses[0]!
    const [, , host, , port] = own.split('/')
    listed = await countKnocks(host!, Number(port))
    const knocks = await countKnocks(STRANGER)
    stranger = knocks
    const addresses = ['', '/ws', '/tls/http'].map((suffix) => `/ip4/${STRANGER}/tcp/${knocks.port}${suffix}`)
    // A peer that received it by gossip before does not accept it again.
    expect(await sendPresence(federation.manifest, LIAR, addresses)).toBeGreaterThan(0)
  })
  afterAll(() => {
    stranger?.close()
    listed?.close()
  })

  it('a killed central peer keeps every acknowledged deposit and counts every repeated deposit once', async () => {
    const before = await statistics()
    const rowsBefore = before.days.reduce((sum, day) => sum + day.rows, 0)
    const core = await loadCore()
    const addresses = await loopbackAddresses(4, 4)
    const walkers = await Promise.all(
      addresses.map(async (localAddress, i) => ({
        tracer: await createTracer({
          federation: federation.manifest,
          core,
          clock,
          storage: await levelStorage(join(dir, 'walkers', `${i}`)),
          dialer: libp2pDialer({ localAddress }),
          redaction: false,
        }),
        lat: -41.28 + i / 10,
        deposited: 0,
      })),
    )
    const settle = (walker: (typeof walkers)[number], result: SyncResult) => {
      walker.deposited += result.rowsDeposited
    }
    let interrupted = 0
    const ROUNDS = 8
    for (let round = 0; round < ROUNDS; round++) {
      const at = clock.now() - (160 - round * 15) * MINUTE_MS
      for (const { tracer, lat } of walkers) {
        for (const minute of [0, 5, 10]) {
          const recorded = await tracer.record({
            lat: lat + round / 1e3,
            lng: 174.77,
            accuracyM: 4,
            at: at + minute * MINUTE_MS,
          })
          expect(recorded).toEqual({ accepted: true })
        }
      }
      const syncs = Promise.allSettled(walkers.map(async (walker) => settle(walker, await walker.tracer.sync())))
      await new Promise((resolve) => setTimeout(resolve, randomInt(50, 400)))
      await federation.central.kill('SIGKILL')
      const outcomes = await syncs
      interrupted += outcomes.filter(({ status }) => status === 'rejected').length
      federation.central.restart()
      await federation.central.serving()
      await Promise.all(walkers.map(async (walker) => settle(walker, await walker.tracer.sync())))
    }
    // Without an interrupted sync this test would prove nothing.
    expect(interrupted).toBeGreaterThan(0)
    for (const { tracer } of walkers) {
      expect(await tracer.preview()).toMatchObject({ fixesWaiting: 0, epochs: [], frozenBytes: 0 })
      await tracer.close()
    }
    const after = await statistics()
    const rows = after.days.reduce((sum, day) => sum + day.rows, 0) - rowsBefore
    expect(after.users - before.users).toBe(walkers.length)
    expect(rows).toBe(walkers.reduce((sum, { deposited }) => sum + deposited, 0))
    expect(rows).toBeGreaterThan(walkers.length * ROUNDS * 30)
  })

  it('no peer connects to private addresses that only the presence of a member names', () => {
    // The peers did dial this member, at the address that the roster lists.
    expect(listed!.count()).toBeGreaterThan(5)
    expect(stranger!.count()).toBe(0)
  })
})

describe('the logs of the killed processes', () => {
  it('the logs of all processes name no address, no other peer, no user, no hash and no place', () => {
    const logs = federation.peers.map((peer) => readFileSync(join(peer.dir, 'log'), 'utf8')).join('')
    // The first entry of a peer names the peer itself, as the roster does.
    const text = logs.replace(/^.*"msg":"peer\.starting".*$/gm, '')
    expect(logs).toMatch(/"peerId":"12D3KooW\w+","federation":"[0-9a-f]{16}","addresses":"\/ip4/)
    expect(text).toMatch(/"health":"serving"/)
    expect(text).not.toMatch(/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/)
    expect(text).not.toMatch(/12D3KooW|\b(52\.[45]|13\.[34]|-41\.2|174\.7)\d*/)
    // A hash in hex has 16 characters or more, in base64 22.
    expect(text).not.toMatch(/[0-9a-f]{16}|[A-Za-z0-9+/]{22}/)
  })
})
