/** Somebody in the middle who would rather have it unencrypted, or of another version. PROTOCOL.md §6.1: there is no second choice. */
import { connect, createServer, type Socket } from 'node:net'
import { systemClock } from '@geotrace/core-wasm'
import { isFederationError, type Protocol } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { names } from '../../bench/raw-peer.js'
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
/** A socket that keeps what it is told. */
function listening(socket: Socket): { heard: () => Buffer } {
  const parts: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (part: Buffer) => parts.push(part))
  return { heard: () => Buffer.concat(parts) }
}

describe('a peer that listens', () => {
  it('speaks Noise or nothing: no plaintext, no TLS of libp2p, no muxer, no protocol before it', async () => {
    const host = await serving()
    const offers = ['/plaintext/2.0.0', '/plaintext/1.0.0', '/secio/1.0.0', '/tls/1.0.0', '/yamux/1.0.0', ECHO.id]
    for (const offer of offers) {
      const socket = connect(Number(host.addresses()[0]!.split('/')[4]), '127.0.0.1')
      stage.atEnd(async () => socket.destroy())
      const { heard } = listening(socket)
      socket.write(names(MULTISTREAM, offer))
      const refused = Buffer.concat([names(MULTISTREAM), NA])
      await expect.poll(heard, { message: offer }).toEqual(refused)
      // And it does not say what else it might speak.
      socket.write(names('ls'))
      socket.write(names('/noise'))
      await expect.poll(() => heard().subarray(refused.length).includes('/noise')).toBe(true)
      expect(heard().includes('/plaintext')).toBe(false)
    }
  })

  it('knows a protocol by its whole name: another version of it is another one', async () => {
    const host = await serving()
    const client = await stage.host(systemClock())
    const peer = { key: host.key, addresses: host.addresses() }
    for (const id of ['/test/echo/2', '/test/echo/1.0.0', '/test/echo', '/test/echo/1/', '/TEST/ECHO/1']) {
      expect(await codeOf(client.request(peer, { ...ECHO, id }, Uint8Array.of(1))), id).toBe('PEER_UNREACHABLE')
    }
    expect(await codeOf(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('OK')
  })
})

describe('a peer that asks', () => {
  it('tells nothing in the clear to whoever says that it speaks no Noise', async () => {
    const host = await serving()
    const client = await stage.host(systemClock())
    const heard: (() => Buffer)[] = []
    const middle = createServer((socket) => {
      heard.push(listening(socket).heard)
      socket.write(names(MULTISTREAM))
      // Whatever is asked for is not to be had; but plaintext would be.
      socket.on('data', () => socket.write(Buffer.concat([NA, names('/plaintext/2.0.0')])))
    })
    await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve))
    stage.atEnd(async () => middle.close())
    const address = `/ip4/127.0.0.1/tcp/${(middle.address() as { port: number }).port}`
    const question = Buffer.from('what nobody in between may read')
    expect(await codeOf(client.request({ key: host.key, addresses: [address] }, ECHO, question))).toBe(
      'PEER_UNREACHABLE',
    )
    expect(heard).toHaveLength(1)
    expect(heard[0]!().length).toBeGreaterThan(0)
    expect(heard[0]!().includes('/noise')).toBe(true)
    for (const secret of ['/plaintext', ECHO.id, question, Buffer.from(client.key)]) {
      expect(heard[0]!().includes(secret)).toBe(false)
    }
  })
})
