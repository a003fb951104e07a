import { simulatedClock } from '@geotrace/core-wasm'
import { encodeTimeReply, ROSTER_PROTOCOL } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { clockWatch, drawPeers, median, provenOffset } from '../../src/membership/clock-watch.ts'
import type { Host } from '../../src/net/protocol.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { seededRandom } from '../../src/testing/simulated/seeded-random.ts'
import { Stage } from '../salt/federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const FEDERATION = new Uint8Array(32).fill(7)
const timeReply = (time: number, federation = FEDERATION): Uint8Array => encodeTimeReply({ time, federation })
const stage = new Stage()
afterEach(() => stage.end())

describe('the clock watch', () => {
  it('the median is the middle value, of two middle values the one nearer zero', () => {
    expect(median([0])).toBe(0)
    expect(median([0, 60])).toBe(0)
    expect(median([0, -60])).toBe(0)
    expect(median([0, 60, 61])).toBe(60)
    expect(median([0, 60, -60, 70, 80])).toBe(60)
    expect(median([0, -5, -60, -70])).toBe(-5)
  })

  it('a peer’s time within the round trip proves no clock offset, even when the round trip takes a minute', () => {
    expect(provenOffset(1_000, 1_000, 1_000)).toBe(0)
    for (const theirs of [1_000, 31_000, 61_000]) expect(provenOffset(1_000, theirs, 61_000)).toBe(0)
    expect(provenOffset(1_000, 999, 61_000)).toBe(1)
    expect(provenOffset(1_000, 61_001, 61_000)).toBe(-1)
  })

  it('a node more than thirty seconds from the median of its peers refuses to serve until its clock is right', async () => {
    const clock = simulatedClock(NOW)
    const hosts = await Promise.all(
      Array.from({ length: 3 }, () => stage.host(clock, systemRandom(32), ['/ip4/127.0.0.1/tcp/0'])),
    )
    let offset = 0
    for (const [i, host] of hosts.entries()) {
      await host.serve(ROSTER_PROTOCOL, async () => timeReply(clock.now() + (i === 0 ? 3_600_000 : offset)))
    }
    const self = await stage.host(clock)
    const peers = hosts.map((host, operator) => ({ key: host.key, addresses: host.addresses(), operator }))
    const watch = clockWatch(self, () => peers, clock, systemRandom, FEDERATION)
    expect(watch.peersOffsetMs).toBeUndefined()
    for (const [theirs, ours, isTrue] of [
      [0, 0, true],
      [30_000, -30_000, true],
      [30_001, -30_001, false],
      [-30_001, 0, true],
      [10_000, -10_000, true],
    ] as const) {
      offset = theirs
      await watch.check()
      expect(watch.offsetMs).toBe(ours)
      // Without our own clock the two that agree are the middle of three.
      expect(watch.peersOffsetMs).toBe(-theirs || 0)
      if (isTrue) watch.assertTrue()
      else expect(() => watch.assertTrue()).toThrow(/clock/)
    }
  })

  it('nine liars at the head of a roster of 100 members do not stop a node, of one operator or of nine', async () => {
    const clock = simulatedClock(NOW)
    const random = seededRandom('clocks').bytes
    for (const liarsOf of [() => 0, (i: number) => i]) {
      const peers = Array.from({ length: 100 }, (_, i) => {
        return { key: new Uint8Array(32).fill(i), addresses: [], operator: i < 9 ? liarsOf(i) : i }
      })
      const asked = new Map<number, number>()
      const host = {
        async request({ key }: { key: Uint8Array }) {
          asked.set(key[0]!, (asked.get(key[0]!) ?? 0) + 1)
          return timeReply(clock.now() + (key[0]! < 9 ? 3_600_000 : 0))
        },
      } as unknown as Host
      const watch = clockWatch(host, () => peers, clock, random, FEDERATION)
      for (let i = 0; i < 100; i++) {
        await watch.check()
        watch.assertTrue()
        expect(watch.reach).toMatchObject({ asked: 15, answered: 15 })
      }
      expect(asked.size).toBe(100)
      // In list order 9 of 15 answers were lies. At random at most 9 in 100 are.
      const lies = [...asked].reduce((sum, [i, count]) => sum + (i < 9 ? count : 0), 0)
      expect(lies).toBeLessThan(0.15 * 1_500)
    }
  })

  it('a peer of another federation is named, and neither its clock nor its answer counts', async () => {
    const clock = simulatedClock(NOW)
    const peers = [1, 2, 3].map((n) => ({ key: new Uint8Array(32).fill(n), addresses: [], operator: n }))
    const host = {
      request: async ({ key }: { key: Uint8Array }) =>
        key[0] === 2 ? timeReply(clock.now() + 3_600_000, new Uint8Array(32)) : timeReply(clock.now()),
    } as Pick<Host, 'request'>
    const watch = clockWatch(host, () => peers, clock, systemRandom, FEDERATION)
    await watch.check()
    expect(watch.reach).toEqual({ asked: 3, answered: 2, strayed: [peers[1]!.key], atMs: NOW })
    expect(watch.offsetMs).toBe(0)
  })

  it('one check asks at most one peer of each operator', () => {
    const random = seededRandom('clocks').bytes
    const peers = Array.from({ length: 64 }, (_, i) => {
      return { key: new Uint8Array(32).fill(i), addresses: [], operator: i >> 4 }
    })
    for (let i = 0; i < 50; i++) {
      const operators = drawPeers(peers, random).map(({ operator }) => operator)
      expect(operators.sort()).toEqual([0, 1, 2, 3])
    }
    expect(drawPeers([], random)).toEqual([])
  })
})
