import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SimulatedClock, simulatedClock, systemClock } from '@geotrace/core-wasm'
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  DEMO_PHRASE,
  demoSecret,
  encodeCertifiedRoster,
  manifestToId,
  peerIdToKey,
  SEALED_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storeRecords } from '../../../src/central/lease/store-records.ts'
import { type CentralPeer, centralPeer } from '../../../src/central/peer.ts'
import type { CentralStore } from '../../../src/central/store/central-store.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { createMembership } from '../../../src/membership/membership.ts'
import { createHost } from '../../../src/net/host.ts'
import type { Host } from '../../../src/net/protocol.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { silent } from '../../../src/platform/log.ts'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { until } from '../../salt/federation.ts'
import { certifiedRoster, Device, demoManifest, OPERATORS, START } from '../world.ts'

describe('two processes of a central peer on one store', () => {
  const manifest = demoManifest({}, 0)
  const certified = certifiedRoster(manifest)
  const epoch = timeToEpoch(START)
  const key = peerIdToKey(manifest.central.peerId)
  let dir: string
  let store: CentralStore
  let first: Process
  let second: Process
  const hosts: Host[] = []

  interface Process {
    readonly peer: CentralPeer
    readonly clock: SimulatedClock
  }
  const make = async (name: string): Promise<Process> => {
    const clock = simulatedClock(START)
    const peer = centralPeer({
      ...{ manifest, store, clock, dir: join(dir, name), secretDir: join(dir, 'shared'), config: { degrees: 2 } },
      secret: demoSecret(DEMO_PHRASE, 'peer/authority'),
      operatorSecret: demoSecret(DEMO_PHRASE, 'operator/authority'),
      ...{ replyTimer: systemClock(), random: systemRandom, log: silent, listen: ['/ip4/127.0.0.1/tcp/0'] },
    })
    await peer.start()
    return { peer, clock }
  }
  const open = async (name: string, i: number): Promise<Host> => {
    const secret = demoSecret(DEMO_PHRASE, `peer/${name}`)
    const localAddress = `127.45.0.${hosts.length + 1}`
    const host = await createHost({ secret, listen: [], clock: first.clock, log: silent, localAddress })
    hosts.push(host)
    const records = await fileRecords(join(dir, `${name}-${i}`))
    await records.put('roster-0', encodeCertifiedRoster(certified))
    const shared = { manifest, host, records, clock: first.clock, random: systemRandom, log: silent }
    const membership = await createMembership({ ...shared, signer: nativeSigner(secret), addresses: () => [] })
    await membership.start()
    return host
  }
  /** A third of the operators must answer the leader. */
  const vouch = async ({ peer }: Process): Promise<void> => {
    const addresses = peer.status().addresses
    for (const [i, name] of OPERATORS.slice(0, 3).entries())
      await (await open(name, hosts.length + i)).link({ key, addresses })
    await until(() => peer.status().standing === 'current')
  }
  /** A device whose syncs reach one process, through a relay with a connection of its own. */
  const deviceOf = ({ clock }: Process, to: () => Process = () => first): Device => {
    const answer = async (request: Uint8Array): Promise<Uint8Array> => {
      const { peer } = to()
      const sealed = sealRequest(certified.roster.central.seal, manifestToId(manifest), request, systemRandom)
      const secret = demoSecret(DEMO_PHRASE, `peer/${OPERATORS[0]}`)
      const relay = await createHost({ secret, listen: [], clock, log: silent })
      try {
        const { addresses } = peer.status()
        return sealed.openReply(await relay.request({ key, addresses }, SEALED_PROTOCOL, sealed.frame))
      } finally {
        await relay.stop()
      }
    }
    return new Device(manifest, { answer }, [certified], systemRandom, clock)
  }
  const text = async (name: string): Promise<string> => new TextDecoder().decode(await store.record(name))
  const untilLater = async (process: Process, check: () => Promise<boolean>): Promise<void> =>
    await until(async () => {
      await process.clock.advanceTo(process.clock.now() + 1_000)
      return await check()
    })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-two-'))
    store = { ...memoryStore(), capabilities: { writers: 'many', hasBackup: false } }
    const records = await fileRecords(join(dir, 'first', 'records'))
    await records.put('roster-0', encodeCertifiedRoster(certified))
    await records.put('roster-newest', new Uint8Array(4))
    first = await make('first')
    second = await make('second')
    await vouch(first)
    await untilLater(first, async () => (await store.record('records/standing')) !== undefined)
    await first.clock.advanceTo(first.clock.now() + 6_000)
    await untilLater(second, async () => second.peer.status().standing === 'current')
  })
  afterEach(async () => {
    await first.peer.stop()
    await second.peer.stop()
    for (const host of hosts.splice(0)) await host.stop()
    await rm(dir, { recursive: true })
  })

  it('one process leads, both take syncs, and marks follow from the rows of both', async () => {
    expect([first.peer.status().leads, second.peer.status().leads]).toEqual([true, false])
    expect(second.peer.status()).toMatchObject({ state: 'serving', roster: 0 })
    const [code] = (await second.peer.issueCodes({ count: 1, days: 1 })).codes
    const near = deviceOf(second, () => second)
    await near.sync({ rows: { [epoch]: [1, 2] } })
    const reporter = deviceOf(second, () => second)
    expect(await reporter.sync({ rows: { [epoch]: [1] }, code: code! })).toMatchObject({
      report: 'accepted',
      refused: [],
    })
    await first.peer.settled()
    expect((await near.sync()).marks).toMatchObject([{ degree: 1 }])
    // A row that only the follower took has the report computed again.
    const late = deviceOf(second, () => second)
    await late.sync({ rows: { [epoch]: [1] } })
    await first.peer.settled()
    expect((await late.sync()).marks).toMatchObject([{ degree: 1 }])
    // The follower knows the stage of the report, and a withdrawal there takes the marks back.
    await untilLater(second, async () => (await second.peer.reports())[0]?.stage === 'published')
    expect(await second.peer.reports()).toMatchObject([{ marked: 2 }])
    await reporter.sync({ withdraw: 'negative' })
    await first.peer.settled()
    expect(await first.peer.reports()).toMatchObject([{ stage: 'withdrawn', marked: 0 }])
  })

  it('the follower leads after the leader has stopped, and what either acknowledged is there', async () => {
    const [code] = (await first.peer.issueCodes({ count: 1, days: 1 })).codes
    const near = deviceOf(second, () => second)
    await near.sync({ rows: { [epoch]: [1] } })
    const far = deviceOf(second)
    await far.sync({ rows: { [epoch]: [1] } })
    const reporter = deviceOf(second)
    await reporter.sync({ rows: { [epoch]: [1] }, code: code! })
    await first.peer.stop()
    await untilLater(second, async () => second.peer.status().leads === true)
    await vouch(second)
    await second.peer.settled()
    expect(await second.peer.reports()).toMatchObject([{ stage: 'published', marked: 2 }])
    const after = deviceOf(second, () => second)
    await after.sync({ rows: { [epoch]: [1] } })
    await second.peer.settled()
    expect((await second.peer.statistics()).users).toBe(4)
    expect(await second.peer.reports()).toMatchObject([{ marked: 3 }])
    // The process comes back and follows.
    first = await make('first')
    expect([first.peer.status().leads, second.peer.status().leads]).toEqual([false, true])
  })

  it('a leader that slept writes nothing any more, and follows when it wakes', async () => {
    const records = storeRecords(store, { name: 'central', holder: 'x', fence: 1, until: 0 })
    await records.put('votes', new Uint8Array([7]))
    // The clock of the first process stands still, so it renews nothing.
    await untilLater(second, async () => second.peer.status().leads === true)
    await expect(records.put('votes', new Uint8Array([8]))).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await records.get('votes')).toEqual(new Uint8Array([7]))
    expect(first.peer.status().leads).toBe(true)
    const [code] = (await second.peer.issueCodes({ count: 1, days: 1 })).codes
    // It still takes syncs, and the new leader computes what they cause.
    const [reporter, near] = [deviceOf(first), deviceOf(first)]
    await near.sync({ rows: { [epoch]: [1] } })
    expect(await reporter.sync({ rows: { [epoch]: [1] }, code: code! })).toMatchObject({ report: 'accepted' })
    await second.peer.settled()
    expect(await second.peer.reports()).toMatchObject([{ stage: 'published', marked: 1 }])
    await vouch(second)
    await untilLater(second, async () => (await text('records/standing')).includes('current'))
    await untilLater(
      first,
      async () => first.peer.status().leads === false && first.peer.status().standing === 'current',
    )
    expect((await near.sync()).marks).toHaveLength(1)
  })

  it('a code that both processes get at once makes one report, and an epoch has one pin', async () => {
    const [code] = (await first.peer.issueCodes({ count: 1, days: 1 })).codes
    const devices = [first, second].map((process) => deviceOf(process, () => process))
    const rows = { [epoch]: [1], [epoch - 1]: [2] }
    const replies = await Promise.all(devices.map((device) => device.sync({ rows, code: code! })))
    expect(replies.map(({ report }) => report).sort()).toEqual(['accepted', 'code-spent'])
    expect(await store.reports()).toHaveLength(1)
    expect((await store.pins()).map((pin) => pin.epoch)).toEqual([epoch - 1, epoch])
  })

  it('a user who was erased by one process does not come back by a delayed sync to the other', async () => {
    const device = deviceOf(first)
    await device.sync({ rows: { [epoch]: [1] } })
    let to = first
    const same = deviceOf(first, () => to)
    await same.sync({ rows: { [epoch]: [2] } })
    await same.sync({ erase: 'all' })
    to = second
    await expect(same.sync({ rows: { [epoch]: [2] } })).rejects.toMatchObject({ code: 'BUSY' })
    expect((await store.statistics()).users).toBe(1)
  })
})
