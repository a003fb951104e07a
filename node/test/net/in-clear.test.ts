/** A man in the middle cannot downgrade a connection to plaintext or to another protocol version. PROTOCOL.md §6.1. */
import { connect, createServer, type Socket } from 'node:net'
import { systemClock } from '@geotrace/core-wasm'
import { isFederationError, type Protocol } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { names } from '../../../core-wasm/bench/raw-peer.js'
import type { Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage } from '../salt/federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
const MULTISTREAM = '/multistream/1.0.0'
const NA = names('na')

async function serving(): Promise<Host> {
  const limits = { pendingPerPrefix: 100, newBurst: 1_000 }
  const host = await stage.host(systemClock(), systemRandom(32), ['/ip4/127.0.0.1/tcp/0'], silent, limits)
  await host.serve(ECHO, async (request) => request)
  return host
}
const codeOf = (task: Promise<unknown>): Promise<string> =>
  task.then(
    () => 'OK',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
/** Collects the bytes that a socket receives. */
function collect(socket: Socket): { received: () => Buffer } {
  const parts: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (part: Buffer) => parts.push(part))
  return { received: () => Buffer.concat(parts) }
}

describe('a peer that listens', () => {
  it('a listening host accepts only Noise as the first protocol of a connection', async () => {
    const host = await serving()
    const offers = ['/plaintext/2.0.0', '/plaintext/1.0.0', '/secio/1.0.0', '/tls/1.0.0', '/yamux/1.0.0', ECHO.id]
    for (const offer of offers) {
      const socket = connect(Number(host.addresses()[0]!.split('/')[4]), '127.0.0.1')
      stage.atEnd(async () => socket.destroy())
      const { received } = collect(socket)
      socket.write(names(MULTISTREAM, offer))
      const refused = Buffer.concat([names(MULTISTREAM), NA])
      await expect.poll(received, { message: offer }).toEqual(refused)
      // The host lists no other protocols.
      socket.write(names('ls'))
      socket.write(names('/noise'))
      await expect.poll(() => received().subarray(refused.length).includes('/noise')).toBe(true)
      expect(received().includes('/plaintext')).toBe(false)
    }
  })

  it('a host serves a protocol under its exact name and under no other version or spelling', async () => {
    const host = await serving()
    const client = await stage.host(systemClock())
    const peer = { key: host.key, addresses: host.addresses() }
    for (const id of ['/test/echo/2', '/test/echo/1.0.0', '/test/echo', '/test/echo/1/', '/TEST/ECHO/1']) {
      expect(await codeOf(client.request(peer, { ...ECHO, id }, Uint8Array.of(1))), id).toBe('PEER_UNREACHABLE')
    }
    expect(await codeOf(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('OK')
  })
})

describe('a client', () => {
  it('a client sends nothing unencrypted to a peer that refuses Noise', async () => {
    const host = await serving()
    const client = await stage.host(systemClock())
    const received: (() => Buffer)[] = []
    const middle = createServer((socket) => {
      received.push(collect(socket).received)
      socket.write(names(MULTISTREAM))
      // The man in the middle refuses every protocol and offers plaintext.
      socket.on('data', () => socket.write(Buffer.concat([NA, names('/plaintext/2.0.0')])))
    })
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve))
    stage.atEnd(async () => middle.close())
    const address = `/ip4/127.0.0.1/tcp/${(middle.address() as { port: number }).port}`
    const question = Buffer.from('a secret request')
    expect(await codeOf(client.request({ key: host.key, addresses: [address] }, ECHO, question))).toBe(
      'PEER_UNREACHABLE',
    )
    expect(received).toHaveLength(1)
    expect(received[0]!().length).toBeGreaterThan(0)
    expect(received[0]!().includes('/noise')).toBe(true)
    for (const secret of ['/plaintext', ECHO.id, question, Buffer.from(client.key)]) {
      expect(received[0]!().includes(secret)).toBe(false)
    }
  })
})
