/** Floods that a member could send on a gossip stream: bounded by count and by bytes. PROTOCOL.md §7.5. */
import { systemClock } from '@geotrace/core-wasm'
import { equalBytes, GOSSIP_MAX_BYTES, GOSSIP_TOPIC } from '@geotrace/core-wasm/wire'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { data, FIN, frame, names, RST, rawPeer, SYN, WINDOW_UPDATE } from '../../../core-wasm/bench/raw-peer.js'
import type { HostLimits } from '../../src/net/limits.ts'
import type { Host } from '../../src/net/protocol.ts'
import { lengthToBytes } from '../../src/net/transport/frame.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage, until } from '../salt/federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

/** A field of a protobuf message: number, then bytes. */
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of((number << 3) | 2), lengthToBytes(bytes.length), bytes])
const times = (count: number, make: (i: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)))
const topic = (name: string): Uint8Array => Buffer.from(name)
const nothing = new Uint8Array(0)

/** The fields of gossipsub's RPC, by its rpc.proto. */
const subscription = (name: string): Buffer => field(1, Buffer.concat([Buffer.of(8, 1), field(2, topic(name))]))
const publish = (message: string, name: string = GOSSIP_TOPIC): Buffer =>
  field(2, Buffer.concat([field(2, Buffer.from(message)), field(4, topic(name))]))
const control = (...parts: Uint8Array[]): Buffer => field(3, Buffer.concat(parts))
const id = (i: number): Buffer => Buffer.alloc(32, i)
const ihave = (ids: number): Buffer =>
  field(1, Buffer.concat([field(1, topic(GOSSIP_TOPIC)), times(ids, (i) => field(2, id(i)))]))
const iwant = (ids: number): Buffer =>
  field(
    2,
    times(ids, (i) => field(1, id(i))),
  )
const graft = (name: string): Buffer => field(3, field(1, topic(name)))
const idontwant = (ids: number): Buffer =>
  field(
    5,
    times(ids, (i) => field(1, id(i))),
  )

async function listener(isMember: (key: Uint8Array) => boolean, limits: Partial<HostLimits> = {}) {
  const host = await stage.host(systemClock(), systemRandom(32), ['/ip4/127.0.0.1/tcp/0'], silent, limits)
  const judged: string[] = []
  const reached: Uint8Array[] = []
  host.gossip.onPeer((key) => reached.push(key))
  host.gossip.onMessage((message) => {
    judged.push(Buffer.from(message).toString().slice(0, 40))
    return 'accept'
  })
  host.gossip.admit(isMember)
  return { host, judged, reached }
}

/** A member that accepts no stream. */
async function muteMember(host: Host, localAddress: string) {
  const peer = await rawPeer(host.addresses()[0]!, { localAddress })
  stage.atEnd(() => peer.stop())
  return {
    /** The streams that the host opened, and whether it ended them. Yamux numbers those of a listener from 2. */
    streams: () =>
      [2, 4, 6]
        .map((id) => flagsOf(peer.received(), id))
        .filter((flags) => flags !== 0)
        .map(isOver),
  }
}
const isOver = (flags: number): boolean => (flags & (FIN | RST)) !== 0

/** A member whose gossip stream carries any fields. */
async function member(host: Host, identity: PrivateKey) {
  const peer = await rawPeer(host.addresses()[0]!, { localAddress: '127.0.0.66', identity })
  stage.atEnd(() => peer.stop())
  peer.send(frame(WINDOW_UPDATE, SYN, 1, 0), data(1, 0, names('/multistream/1.0.0', '/meshsub/1.2.0')))
  const say = (...fields: Uint8Array[]): boolean => {
    const rpc = Buffer.concat(fields)
    return peer.send(data(1, 0, Buffer.concat([lengthToBytes(rpc.length), rpc])))
  }
  return { peer, say }
}

describe('a gossip stream', () => {
  it('a gossip stream drops each RPC that exceeds a bound of count and reads the others', async () => {
    const identity = await generateKeyPair('Ed25519')
    const { host, judged } = await listener((key) => equalBytes(key, identity.publicKey.raw))
    const { say } = await member(host, identity)
    const floods: [what: string, most: number, make: (count: number) => Uint8Array][] = [
      ['subscriptions', 16, (count) => times(count, (i) => subscription(`t${i}`))],
      ['empty subscriptions', 16, (count) => times(count, () => field(1, nothing))],
      ['messages', 63, (count) => times(count, (i) => publish(`of topic ${i}`, 'another'))],
      ['ids in IHAVE', 512, (count) => control(ihave(count))],
      ['ids in IWANT', 512, (count) => control(iwant(count))],
      ['ids in IDONTWANT', 512, (count) => control(idontwant(count))],
      ['IHAVE entries', 64, (count) => control(times(count, () => ihave(0)))],
      ['grafts', 64, (count) => control(times(count, (i) => graft(`t${i}`)))],
    ]
    for (const [what, most, make] of floods) {
      // Each RPC carries a message, which shows whether the RPC was read.
      say(publish(`beyond: ${what}`), make(most + 1))
      say(publish(`far beyond: ${what}`), make(2 * most))
      say(publish(`within: ${what}`), make(most))
      await until(() => judged.includes(`within: ${what}`))
    }
    expect(judged).toEqual(floods.map(([what]) => `within: ${what}`))
  })

  it('a gossip stream ignores messages of other topics and ends at a message above the size limit', async () => {
    const identity = await generateKeyPair('Ed25519')
    const { host, judged } = await listener((key) => equalBytes(key, identity.publicKey.raw))
    const { peer, say } = await member(host, identity)
    for (const name of ['', 'another', `${GOSSIP_TOPIC}x`, '__proto__']) {
      say(subscription(name), publish('of another topic', name), control(graft(name)))
    }
    say(publish('of ours'))
    await until(() => judged.length > 0)
    expect(judged).toEqual(['of ours'])
    say(publish('x'.repeat(2 * GOSSIP_MAX_BYTES)))
    say(publish('after it'))
    // The host stops reading the stream and ends it.
    await until(() => {
      say(publish('and more'))
      return isOver(flagsOf(peer.received(), 1))
    })
    expect(judged).toEqual(['of ours'])
  })

  it('a flood of subscriptions closes its connection, and gossip of others still arrives', async () => {
    const identity = await generateKeyPair('Ed25519')
    const { host, judged } = await listener(() => true)
    const { peer, say } = await member(host, identity)
    // Valid subscriptions without news. The bytes of one window exceed the work that a connection may cause at once.
    while (peer.isOpen()) {
      for (let i = 0; i < 16; i++) say(subscription(GOSSIP_TOPIC))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await peer.closed
    const other = await listener(() => true)
    await other.host.link({ key: host.key, addresses: host.addresses() })
    for (let i = 0; !judged.some((message) => message.startsWith('honest')); i++) {
      await other.host.gossip.publish(Buffer.from(`honest ${i}`))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(judged.every((message) => message.startsWith('honest'))).toBe(true)
  })
})

describe('members that accept no stream', () => {
  it('members that accept no stream delay the gossip streams to no other member', async () => {
    // The host never gives up an opening by itself, so that the test depends on no time.
    const { host } = await listener(() => true, { gossipOpenMs: 86_400_000 })
    const mutes = [await muteMember(host, '127.0.0.66'), await muteMember(host, '127.0.0.67')]
    await until(() => mutes.every(({ streams }) => streams().length > 0))
    const others = await Promise.all(Array.from({ length: 3 }, () => listener(() => true)))
    for (const other of others) await other.host.link({ key: host.key, addresses: host.addresses() })
    // A peer learns the topic of another one only on the stream that the other one opened.
    await until(() => others.every(({ reached }) => reached.some((key) => equalBytes(key, host.key))))
    host.gossip.renew()
    expect(mutes.flatMap(({ streams }) => streams())).not.toContain(true)
    // The opening to a peer that is no longer a member ends at once. No second stream was opened before.
    host.gossip.admit(() => false)
    await until(() => mutes.every(({ streams }) => streams().includes(true)))
    expect(mutes.map(({ streams }) => streams())).toEqual([[true], [true]])
  })
})

/** The flags of all frames that yamux sent for a stream. */
function flagsOf(bytes: Buffer, stream: number): number {
  let flags = 0
  for (let at = 0; at + 12 <= bytes.length; at += 12 + (bytes[at + 1] === 0 ? bytes.readUInt32BE(at + 8) : 0)) {
    if (bytes.readUInt32BE(at + 4) === stream) flags |= bytes.readUInt16BE(at + 2)
  }
  return flags
}
