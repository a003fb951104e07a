import { simulatedClock } from '@geotrace/core-wasm'
import { encodeTimeReply, type PeerAddress, ROSTER_PROTOCOL } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { keepLinks, ringNeighbours } from '../../src/membership/links.ts'
import { REAL_PACE } from '../../src/membership/pace.ts'
import type { Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { startProxy } from '../net/proxy.ts'
import { freePorts, Stage, untilLater } from '../salt/federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

const peer = (first: number): PeerAddress => ({ key: new Uint8Array(32).fill(first), addresses: [] })
const clock = simulatedClock(NOW)

async function listener(secret: Uint8Array, port: number): Promise<Host> {
  const host = await stage.host(clock, secret, [`/ip4/127.0.0.1/tcp/${port}`])
  await host.serve(ROSTER_PROTOCOL, async () => encodeTimeReply({ time: clock.now(), federation: new Uint8Array(32) }))
  return host
}
function linksOf(host: Host, others: PeerAddress[], otherReplicas: PeerAddress[] = []) {
  const links = keepLinks({ host, clock, others: () => others, otherReplicas: () => otherReplicas })
  stage.atEnd(async () => links.stop())
  links.start()
  return links
}

describe('the ring', () => {
  it('the ring gives each peer the next three keys in both directions, and two neighbours choose each other', () => {
    const keys = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    const firsts = (key: number, among = keys): number[] =>
      ringNeighbours(peer(key).key, among.filter((item) => item !== key).map(peer)).map((item) => item.key[0]!)
    expect(firsts(50).sort((a, b) => a - b)).toEqual([20, 30, 40, 60, 70, 80])
    expect(firsts(10).sort((a, b) => a - b)).toEqual([20, 30, 40, 80, 90, 100])
    expect(firsts(100).sort((a, b) => a - b)).toEqual([10, 20, 30, 70, 80, 90])
    // A newcomer, whose key is not in the list, gets the neighbours of its place.
    expect(firsts(55).sort((a, b) => a - b)).toEqual([30, 40, 50, 60, 70, 80])
    expect(firsts(10, [10, 20, 30]).sort()).toEqual([20, 30])
    expect(firsts(10, [10])).toEqual([])
    // Both sides of a link want it.
    for (const key of keys) for (const other of firsts(key)) expect(firsts(other)).toContain(key)
  })

  it('a peer links to ring neighbours and replicas in a large federation, and to every peer in a small one', async () => {
    const host = await stage.host(clock)
    const others = Array.from({ length: 40 }, (_, i) => peer(i + 1))
    const otherReplicas = [others[3]!, others[33]!]
    const wanted = linksOf(host, others, otherReplicas)
      .state()
      .map(({ key }) => key[0]!)
    expect(wanted).toEqual(expect.arrayContaining([4, 34]))
    expect(wanted.length).toBeLessThanOrEqual(8)
    const few = linksOf(host, others.slice(0, 8))
    expect(few.state()).toHaveLength(8)
  })
})

describe('a link', () => {
  it('a link is probed only when nothing came on it and no probe went out for five seconds', async () => {
    const own = simulatedClock(NOW)
    let [hasReceivedFrom, asked] = [true, 0]
    const host = {
      key: peer(1).key,
      isLinked: () => true,
      hasReceivedFrom: (_key: Uint8Array, withinMs: number) => hasReceivedFrom && withinMs === REAL_PACE.probeMs,
      request: async () => {
        asked++
        return encodeTimeReply({ time: own.now(), federation: new Uint8Array(32) })
      },
      gossip: { renew: () => {} },
    } as unknown as Host
    const links = keepLinks({ host, clock: own, others: () => [peer(2)], otherReplicas: () => [] })
    stage.atEnd(async () => links.stop())
    links.start()
    const pass = async (ms: number): Promise<number> => {
      const before = asked
      await own.advanceTo(own.now() + ms)
      return asked - before
    }
    expect(await pass(60_000)).toBe(0)
    hasReceivedFrom = false
    expect(await pass(REAL_PACE.linkMs)).toBe(1)
    expect(await pass(REAL_PACE.probeMs - REAL_PACE.linkMs)).toBe(0)
    expect(await pass(2 * REAL_PACE.linkMs)).toBe(1)
  })

  it('a link comes back by itself after the other side was away', async () => {
    const [port] = await freePorts(1)
    const secret = systemRandom(32)
    const self = await stage.host(clock)
    const first = await listener(secret, port!)
    const links = linksOf(self, [{ key: first.key, addresses: first.addresses() }])
    const isLinked = () => links.state()[0]!.linked
    await untilLater(clock, isLinked)
    await first.stop()
    await untilLater(clock, () => !isLinked())
    await listener(secret, port!)
    await untilLater(clock, isLinked)
  })

  it('a link that only looks open is closed and dialled anew, even if requests may wait for minutes', async () => {
    const [port] = await freePorts(1)
    const other = await listener(systemRandom(32), port!)
    const proxy = await startProxy(stage, port!)
    const self = await stage.host(clock, systemRandom(32), [], silent, { replyMs: 600_000 })
    const links = linksOf(self, [{ key: other.key, addresses: [proxy.address] }])
    await untilLater(clock, () => links.state()[0]!.linked)
    /** Asks over the existing link: without an address nothing is dialled, and an aborted request closes nothing. */
    const answers = async (): Promise<boolean> => {
      const reachable = { key: other.key, addresses: [] }
      const options = { signal: AbortSignal.timeout(200) }
      return await self.request(reachable, ROSTER_PROTOCOL, Uint8Array.of(1, 3), options).then(
        ([status]) => status === 0,
        () => false,
      )
    }
    await untilLater(clock, answers)
    proxy.freeze()
    expect(await answers()).toBe(false)
    expect(links.state()[0]!.linked).toBe(true)
    await untilLater(clock, answers)
  })

  it('a lost link is not dialled again after `stop`', async () => {
    const [port] = await freePorts(1)
    const secret = systemRandom(32)
    const self = await stage.host(clock)
    const first = await listener(secret, port!)
    const links = linksOf(self, [{ key: first.key, addresses: first.addresses() }])
    await untilLater(clock, () => self.isLinked(first.key))
    links.stop()
    await first.stop()
    await untilLater(clock, () => !self.isLinked(first.key))
    const second = await listener(secret, port!)
    const endMs = clock.now() + 5 * REAL_PACE.linkMs
    await untilLater(clock, () => clock.now() >= endMs)
    expect(self.isLinked(first.key)).toBe(false)
    await self.link({ key: second.key, addresses: second.addresses() })
    expect(self.isLinked(first.key)).toBe(true)
  })
})
