import { systemClock } from '@geotrace/core-wasm'
import { GOSSIP_MAX_BYTES } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import type { GossipDecision } from '../../src/net/gossip.ts'
import type { Host } from '../../src/net/protocol.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { freePorts, Stage, until } from '../salt/federation.ts'
import { startProxy } from './proxy.ts'

const stage = new Stage()
afterEach(() => stage.end())

interface Talker {
  host: Host
  /** Messages that it judged, in order. */
  judged: string[]
  decision: GossipDecision
  /** Keys of the peers that it can reach by gossip. */
  reached: string[]
  say(text: string): Promise<void>
}
const name = (key: Uint8Array): string => Buffer.from(key).toString('hex')

async function talker(port?: number): Promise<Talker> {
  const host = await stage.host(systemClock(), systemRandom(32), [`/ip4/127.0.0.1/tcp/${port ?? 0}`])
  const self: Talker = {
    ...{ host, judged: [], reached: [], decision: 'accept' },
    say: (text) => host.gossip.publish(Buffer.from(text)),
  }
  host.gossip.onMessage((message) => {
    self.judged.push(Buffer.from(message).toString())
    return self.decision
  })
  // The keeper of links calls this function at an interval too.
  const renewing = setInterval(() => host.gossip.renew(), 200)
  stage.atEnd(async () => clearInterval(renewing))
  host.gossip.onPeer((key) => self.reached.push(name(key)))
  return self
}
const link = (from: Talker, to: Talker, addresses = to.host.addresses()) =>
  from.host.link({ key: to.host.key, addresses })
/** Publishes until a message has arrived, because a mesh takes a moment to form. Each message has another text. */
async function sayUntil(from: Talker, text: string, hasArrived: () => boolean): Promise<void> {
  for (let i = 0; !hasArrived(); i++) {
    await from.say(`${text} ${i}`)
    for (let wait = 0; wait < 40 && !hasArrived(); wait++) await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
const receives = (talker: Talker, text: string) => () => talker.judged.some((message) => message.startsWith(text))

describe('gossip', () => {
  it('a message crosses a line of three peers once and stops at a peer that ignores or rejects it', async () => {
    const [a, b, c] = [await talker(), await talker(), await talker()]
    for (const { host } of [a, b, c]) host.gossip.admit(() => true)
    await link(a, b)
    await link(b, c)
    await until(() => a.reached.length === 1 && b.reached.length === 2 && c.reached.length === 1)
    expect(a.host.isLinked(c.host.key)).toBe(false)
    await sayUntil(a, 'one', receives(c, 'one'))
    expect(new Set(c.judged).size).toBe(c.judged.length)
    const [last] = c.judged.slice(-1)
    await a.say(last!).catch(() => {})
    for (const decision of ['ignore', 'reject'] as const) {
      b.decision = decision
      await sayUntil(a, decision, receives(b, decision))
      b.decision = 'accept'
      // A forwarded message would have arrived before the later one.
      await sayUntil(b, `after ${decision}`, receives(c, `after ${decision}`))
      expect(receives(c, decision)()).toBe(false)
    }
    expect(c.judged.filter((message) => message === last)).toHaveLength(1)
  })

  it('a member takes no gossip of a stranger, all of a peer admitted later, and none of a removed member', async () => {
    const [member, stranger, other] = [await talker(), await talker(), await talker()]
    const members = new Set([name(other.host.key)])
    const admit = () => member.host.gossip.admit((key) => members.has(name(key)))
    admit()
    for (const { host } of [stranger, other]) host.gossip.admit(() => true)
    await link(stranger, member)
    await link(other, member)
    await until(() => member.reached.includes(name(other.host.key)))
    await stranger.say('stranger')
    await sayUntil(other, 'hello', receives(member, 'hello'))
    await stranger.say('stranger again')
    await sayUntil(other, 'still', receives(member, 'still'))
    expect(member.judged.filter((message) => message.startsWith('stranger'))).toEqual([])
    expect(member.reached).toEqual([name(other.host.key)])

    members.add(name(stranger.host.key))
    admit()
    await sayUntil(stranger, 'thanks', receives(member, 'thanks'))
    await sayUntil(member, 'welcome', receives(stranger, 'welcome'))

    members.delete(name(stranger.host.key))
    admit()
    const before = member.judged.length
    await stranger.say('and now').catch(() => {})
    await stranger.say('and now?').catch(() => {})
    await sayUntil(other, 'bye', receives(member, 'bye'))
    expect(member.judged.slice(before).filter((message) => message.startsWith('and now'))).toEqual([])
    expect(member.host.isLinked(stranger.host.key)).toBe(true)
  })

  it('a peer takes a message of the largest size, drops a larger one, and still takes the next', async () => {
    const [a, b] = [await talker(), await talker()]
    for (const { host } of [a, b]) host.gossip.admit(() => true)
    await link(a, b)
    await until(() => a.reached.length === 1 && b.reached.length === 1)
    const large = 'x'.repeat(GOSSIP_MAX_BYTES)
    await a.say(large)
    await until(() => b.judged.includes(large))
    await a.say('y'.repeat(2 * GOSSIP_MAX_BYTES))
    await sayUntil(a, 'small', receives(b, 'small'))
    expect(receives(b, 'y')()).toBe(false)
  })

  it('gossip continues on the second connection of two peers when the first one ends', async () => {
    const [port] = await freePorts(1)
    const [a, b] = [await talker(), await talker(port)]
    const proxy = await startProxy(stage, port!)
    for (const { host } of [a, b]) host.gossip.admit(() => true)
    // Both peers dial at the same time, which makes two connections. One of them goes through the proxy.
    await Promise.all([link(a, b, [proxy.address]), link(b, a)])
    await sayUntil(a, 'one', receives(b, 'one'))
    proxy.cut()
    expect(a.host.isLinked(b.host.key)).toBe(true)
    await sayUntil(a, 'two', receives(b, 'two'))
    await sayUntil(b, 'three', receives(a, 'three'))
  })
})
