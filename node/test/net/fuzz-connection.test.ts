/**
 * Sends random bytes before and around a request, in any order, cut into fragments, with pauses: handshakes, HTTP, and
 * yamux frames after the handshake. The node must keep running and answer others, because an uncaught exception would end
 * the process and lose its seeds. `fuzz-host.test.ts` sends input that is well-formed up to the request.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import { xorshift } from '../../../core-wasm/test/wire/fuzz.ts'
import { frame, names, rawPeer } from '../../bench/raw-peer.js'
import { loopback, session } from '../../bench/salt-client.js'
import { startServer } from '../../bench/servers.js'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const CONNECTIONS = Number(process.env.FUZZ_CONNECTIONS ?? 80)
const [FRAMES_MAX, PAYLOAD_MAX, ATTACKERS, HONEST] = [24, 300, 103, 104]
type Random = ReturnType<typeof xorshift>
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)]!

/** Content of a stream: the names and a request, whole or cut anywhere, or random bytes. */
function payload(random: Random): Buffer<ArrayBuffer> {
  const request = Buffer.concat([names('/multistream/1.0.0', SALT_PROTOCOL.id), Buffer.of(4, 1, 2, 3, 4)])
  const kind = random(4)
  if (kind === 0) return request
  if (kind === 1) return request.subarray(0, random(request.length))
  if (kind === 2) return names('/multistream/1.0.0', '/no/such/thing')
  return Buffer.from(Array.from({ length: random(PAYLOAD_MAX) }, () => random(256)))
}

/** A frame, mostly valid in itself. It uses few stream ids, so that frames of one stream meet. */
function anyFrame(random: Random): Uint8Array {
  const type = random(16) === 0 ? random(256) : random(4)
  const flags = pick(random, [0, 0, 1, 1, 1, 2, 4, 4, 8, 5, 12, random(0x10000)])
  const id = pick(random, [0, 1, 1, 3, 3, 5, 7, 2, random(2 ** 32)])
  if (type !== 0) return frame(type, flags, id, pick(random, [0, 0, 1, 262_144, random(2 ** 32)]))
  const body = payload(random)
  const length = random(24) === 0 ? random(2 ** 20) : body.length
  return frame(type, flags, id, length, body)
}

/** Sends all bytes in fragments, with pauses. */
async function inFragments(random: Random, all: Uint8Array, send: (fragment: Uint8Array) => boolean): Promise<void> {
  for (let left = all; left.length > 0; ) {
    const length = random(2) === 0 ? left.length : 1 + random(left.length)
    if (!send(left.subarray(0, length))) return
    left = left.subarray(length)
    if (random(2) === 0) await pause(random(4))
  }
}

it('a host keeps running and answers others whatever yamux frames a peer sends', async () => {
  const seed = randomInt(1, 2 ** 32 - 1)
  const random = xorshift(seed)
  const server = await startServer('canned', { answerBytes: 64, limits: { newBurst: 1e6, workBurst: 1e6 } })
  ends.push(() => server.stop())
  const { key, addresses } = server.where as { key: number[]; addresses: string[] }
  const question = {
    peer: { key: Uint8Array.from(key), addresses },
    protocol: SALT_PROTOCOL,
    request: Uint8Array.of(1),
  }
  let received = 0
  for (let i = 0; i < CONNECTIONS; i++) {
    const peer = await rawPeer(addresses[0]!, { localAddress: loopback(ATTACKERS, i) })
    const frames = Array.from({ length: 1 + random(FRAMES_MAX) }, () => anyFrame(random))
    await inFragments(random, Buffer.concat(frames), (fragment) => peer.send(fragment))
    if (random(10) < 7) await pause(random(10))
    received += peer.received().length
    await peer.stop()
    if (i % 10 !== 9) continue
    const { status } = await session(question, loopback(HONEST, i))
    expect(status, `seed ${seed}, connection ${i}`).toBe(0)
  }
  // The server answered, so the frames did reach it.
  expect(received).toBeGreaterThan(CONNECTIONS)
})

/** Parts of the handshakes of TCP and WebSocket, and a TLS hello for a port without TLS. */
const OPENERS = [
  ...['/multistream/1.0.0', '/noise', '/yamux/1.0.0', 'ls', 'na', '/no/such/thing'].map((name) => names(name)),
  ...['GET / HTTP/1.1\r\n', 'POST /geotrace/salt/1 HTTP/1.1\r\n', 'Host: x\r\n', 'Connection: Upgrade\r\n'].map(
    Buffer.from,
  ),
  ...['Upgrade: websocket\r\n', 'Sec-WebSocket-Version: 13\r\n', '\r\n', 'Content-Length: 9\r\n'].map(Buffer.from),
  Buffer.from('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'),
  Buffer.of(0x16, 3, 1, 0, 4, 1, 0, 0, 0),
] as const
const UPGRADE = Buffer.concat([OPENERS[6]!, OPENERS[8]!, ...OPENERS.slice(9, 12), OPENERS[14]!, OPENERS[12]!])

function opener(random: Random): Uint8Array {
  const kind = random(6)
  if (kind < 3) return pick(random, OPENERS)
  // The first message of Noise, or a Noise frame with random content.
  if (kind === 3) return Buffer.concat([Buffer.of(0, 32), randomBytes(32)])
  // A masked WebSocket frame, valid or not.
  if (kind === 4) return Buffer.concat([Buffer.of(0x80 + random(16), 0x80 + random(126)), randomBytes(random(80))])
  return randomBytes(1 + random(PAYLOAD_MAX))
}

it('a host keeps running and answers others whatever a socket sends instead of a handshake', async () => {
  const seed = randomInt(1, 2 ** 32 - 1)
  const random = xorshift(seed)
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
  const limits = { newBurst: 1e6, upgradeMs: 500 }
  const host = await createHost({ secret: systemRandom(32), listen, clock: systemClock(), log: silent, limits })
  ends.push(() => host.stop())
  await host.serve(SALT_PROTOCOL, async (request) => request)
  let received = 0
  const attack = async (i: number): Promise<void> => {
    const port = Number(host.addresses()[i % 2]!.split('/')[4])
    const socket = connect({ port, host: '127.0.0.1', localAddress: loopback(ATTACKERS, i) })
    ends.push(() => socket.destroy())
    socket.on('error', () => {})
    socket.on('data', (bytes) => (received += bytes.length))
    const begin = i % 2 === 0 ? Buffer.concat(OPENERS.slice(0, 2)) : UPGRADE
    const parts = Array.from({ length: 1 + random(8) }, () => opener(random))
    const all = Buffer.concat(random(3) === 0 ? parts : [begin, ...parts])
    await inFragments(random, all, (fragment) => {
      socket.write(fragment)
      return !socket.destroyed
    })
    if (random(10) < 7) await pause(random(20))
    if (random(2) === 0) socket.end()
    else socket.destroy()
  }
  for (let i = 0; i < 4 * CONNECTIONS; i += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, k) => attack(i + k)))
    for (const address of host.addresses()) {
      const peer = { key: host.key, addresses: [address] }
      const { status } = await session(
        { peer, protocol: SALT_PROTOCOL, request: Uint8Array.of(0) },
        loopback(HONEST, i),
      )
      expect(status, `seed ${seed}, connection ${i}`).toBe(0)
    }
  }
  expect(received).toBeGreaterThan(CONNECTIONS)
})
