/**
 * Sends random bytes before a request, in any order, cut into fragments, with pauses: handshakes and HTTP. The node must
 * keep running and answer others, because an uncaught exception would end the process and lose its seeds.
 * `hostile-frames.test.ts` sends frames after the handshake, `fuzz-host.test.ts` well-formed input up to the request.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import { names } from '../../../core-wasm/bench/raw-peer.js'
import { inFragments } from '../../../core-wasm/test/transport/hostile-frames.ts'
import { xorshift } from '../../../core-wasm/test/wire/fuzz.ts'
import { loopback, session } from '../../bench/salt-client.js'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const CONNECTIONS = Number(process.env.FUZZ_CONNECTIONS ?? 80)
const [PAYLOAD_MAX, ATTACKERS, HONEST] = [300, 103, 104]
type Random = ReturnType<typeof xorshift>
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)]!

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
