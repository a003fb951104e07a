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
  /** What it judged, in order. */
  judged: string[]
  verdict: GossipDecision
  /** Whom it can reach by gossip. */
  reached: string[]
  say(text: string): Promise<void>
}
const name = (key: Uint8Array): string => Buffer.from(key).toString('hex')

async function talker(port?: number): Promise<Talker> {
  const host = await stage.host(systemClock(), systemRandom(32), [`/ip4/127.0.0.1/tcp/${port ?? 0}`])
  const self: Talker = {
    ...{ host, judged: [], reached: [], verdict: 'accept' },
    say: (text) => host.gossip.publish(Buffer.from(text)),
  }
  host.gossip.onMessage((message) => {
    self.judged.push(Buffer.from(message).toString())
    return self.verdict
  })
  // As the keeper of links does.
  const renewing = setInterval(() => host.gossip.renew(), 200)
  stage.atEnd(async () => clearInterval(renewing))
  host.gossip.onPeer((key) => self.reached.push(name(key)))
  return self
}
const link = (from: Talker, to: Talker, addresses = to.host.addresses()) =>
  from.host.link({ key: to.host.key, addresses })
/** Says it until it is heard: a mesh takes a moment to form, and each saying is another message. */
async function sayUntil(from: Talker, text: string, heard: () => boolean): Promise<void> {
  for (let i = 0; !heard(); i++) {
    await from.say(`${text} ${i}`)
    for (let wait = 0; wait < 40 && !heard(); wait++) await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
const hears = (talker: Talker, text: string) => () => talker.judged.some((said) => said.startsWith(text))

describe('gossip', () => {
  it('crosses a line of three, once to each, and goes no further than somebody finds it good', async () => {
    const [a, b, c] = [await talker(), await talker(), await talker()]
    for (const { host } of [a, b, c]) host.gossip.admit(() => true)
    await link(a, b)
    await link(b, c)
    await until(() => a.reached.length === 1 && b.reached.length === 2 && c.reached.length === 1)
    expect(a.host.isLinked(c.host.key)).toBe(false)
    await sayUntil(a, 'one', hears(c, 'one'))
    expect(new Set(c.judged).size).toBe(c.judged.length)
    const [last] = c.judged.slice(-1)
    await a.say(last!).catch(() => {})
    for (const verdict of ['ignore', 'reject'] as const) {
      b.verdict = verdict
      await sayUntil(a, verdict, hears(b, verdict))
      b.verdict = 'accept'
      // Had it gone on, it would have been there before what is said after it.
      await sayUntil(b, `after ${verdict}`, hears(c, `after ${verdict}`))
      expect(hears(c, verdict)()).toBe(false)
    }
    expect(c.judged.filter((said) => said === last)).toHaveLength(1)
  })

  it('takes nothing from a stranger, all from one admitted later, and nothing more from one who was let go', async () => {
    const [member, stranger, other] = [await talker(), await talker(), await talker()]
    const members = new Set([name(other.host.key)])
    const admit = () => member.host.gossip.admit((key) => members.has(name(key)))
    admit()
    for (const { host } of [stranger, other]) host.gossip.admit(() => true)
    await link(stranger, member)
    await link(other, member)
    await until(() => member.reached.includes(name(other.host.key)))
    await stranger.say('knock')
    await sayUntil(other, 'hello', hears(member, 'hello'))
    await stranger.say('knock again')
    await sayUntil(other, 'still', hears(member, 'still'))
    expect(member.judged.filter((said) => said.startsWith('knock'))).toEqual([])
    expect(member.reached).toEqual([name(other.host.key)])

    members.add(name(stranger.host.key))
    admit()
    await sayUntil(stranger, 'thanks', hears(member, 'thanks'))
    await sayUntil(member, 'welcome', hears(stranger, 'welcome'))

    members.delete(name(stranger.host.key))
    admit()
    const before = member.judged.length
    await stranger.say('and now').catch(() => {})
    await stranger.say('and now?').catch(() => {})
    await sayUntil(other, 'bye', hears(member, 'bye'))
    expect(member.judged.slice(before).filter((said) => said.startsWith('and now'))).toEqual([])
    expect(member.host.isLinked(stranger.host.key)).toBe(true)
  })

  it('takes the largest message there is and none larger, and goes on with who sent one', async () => {
    const [a, b] = [await talker(), await talker()]
    for (const { host } of [a, b]) host.gossip.admit(() => true)
    await link(a, b)
    await until(() => a.reached.length === 1 && b.reached.length === 1)
    const large = 'x'.repeat(GOSSIP_MAX_BYTES)
    await a.say(large)
    await until(() => b.judged.includes(large))
    await a.say('y'.repeat(2 * GOSSIP_MAX_BYTES))
    await sayUntil(a, 'small', hears(b, 'small'))
    expect(hears(b, 'y')()).toBe(false)
  })

  it('goes on over the other connection when the one that carried it ends', async () => {
    const [port] = await freePorts(1)
    const [a, b] = [await talker(), await talker(port)]
    const proxy = await startProxy(stage, port!)
    for (const { host } of [a, b]) host.gossip.admit(() => true)
    // Both dial at the same moment: two connections, one of them through the proxy.
    await Promise.all([link(a, b, [proxy.address]), link(b, a)])
    await sayUntil(a, 'one', hears(b, 'one'))
    proxy.cut()
    expect(a.host.isLinked(b.host.key)).toBe(true)
    await sayUntil(a, 'two', hears(b, 'two'))
    await sayUntil(b, 'three', hears(a, 'three'))
  })
})
