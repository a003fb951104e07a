/**
 * Hostile peers send as much as they can to a client in a process of its own, over real sockets. Each attack may cost the
 * process 32 MiB at most. It runs the built package, as an app does.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Protocol, ROSTER_PROTOCOL } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  ACK,
  DATA,
  data,
  frame,
  names,
  PING,
  rawListener,
  SYN,
  WINDOW_UPDATE,
} from '../../../core-wasm/bench/raw-peer.js'
import type { RawPeer } from '../../../core-wasm/test/transport/hostile-frames.ts'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'

const GROWTH_MAX_BYTES = 32 * 2 ** 20
/** An attacker gives up after this many bytes. A client without bounds would buffer them all. */
const ATTACK_MAX_BYTES = 96 * 2 ** 20
const KIB = 1_024
const WINDOW_BYTES = 262_144
const MULTISTREAM = '/multistream/1.0.0'
const key = Array.from({ length: 32 }, () => 5)

let child: ChildProcess
let folder: string
const ends: (() => unknown)[] = []
interface Asked {
  kind: 'libp2p' | 'https'
  key: ArrayLike<number>
  addresses: string[]
  count?: number
  protocol?: Protocol
}
interface Answer {
  codes: string[]
  grownBytes: number
}

async function ask({ key, ...asked }: Asked): Promise<Answer> {
  child.send({ count: 1, protocol: ROSTER_PROTOCOL, ...asked, key: Array.from(key) })
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}

/** Sends until the connection is closed, with pauses in which the other side can act. */
async function flood(peer: RawPeer, next: () => Uint8Array): Promise<void> {
  for (let sent = 0; peer.isOpen() && sent < ATTACK_MAX_BYTES; ) {
    const bytes = next()
    sent += bytes.length
    peer.send(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function expectSmall(asked: Asked, codes: readonly string[]): Promise<void> {
  const answer = await ask(asked)
  for (const code of answer.codes) expect(codes).toContain(code)
  expect(answer.grownBytes).toBeLessThan(GROWTH_MAX_BYTES)
}

const zeros = new Uint8Array(60_000)
const FAILED = ['PEER_UNREACHABLE', 'PEER_TIMEOUT']
const [HAS_PEAK, why] = existsSync('/proc/self/clear_refs')
  ? [true, '']
  : [false, ' (SKIPPED: no /proc/self/clear_refs)']

describe.skipIf(!HAS_PEAK)(`the memory of a client${why}`, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'geotrace-memory-'))
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, LOOPBACK_CERTIFICATE.cert)
    const file = fileURLToPath(new URL('measured-client.js', import.meta.url))
    child = fork(file, { execArgv: ['--expose-gc'], env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } })
    // The code of both dialers is loaded before the first attack.
    const answers = (peer: RawPeer): void => {
      peer.listen(() =>
        peer.send(data(1, ACK, Buffer.concat([names(MULTISTREAM, ROSTER_PROTOCOL.id), Buffer.of(1, 9)]))),
      )
    }
    const listener = await rawListener(answers, ['/ip4/127.0.0.1/tcp/0/ws'])
    expect((await ask({ kind: 'libp2p', ...listener })).codes).toEqual(['1 bytes'])
    await listener.stop()
    const web = await https((_, response) => response.end(Buffer.of(1)))
    expect((await ask({ kind: 'https', key, addresses: [web] })).codes).toEqual(['1 bytes'])
  })
  afterAll(async () => {
    child.kill()
    for (const end of ends.splice(0).reverse()) await end()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const [what, attack] of [
    [
      'a frame that announces 4 GiB',
      (peer: RawPeer) => {
        peer.send(frame(DATA, SYN, 2, 0xfffffff0))
        return () => zeros
      },
    ],
    [
      'frames of streams that do not exist',
      () => () => Buffer.concat([frame(DATA, 0, 2, WINDOW_BYTES), new Uint8Array(WINDOW_BYTES)]),
    ],
    [
      'a window of bytes on many streams of its own',
      () => {
        let id = 0
        return () => Buffer.concat([frame(WINDOW_UPDATE, SYN, (id += 2), 0), data(id, 0, new Uint8Array(WINDOW_BYTES))])
      },
    ],
    [
      'more than a reply on each of the eight streams of the client',
      () => {
        let id = -1
        return () => data((id = (id + 2) % 16), 0, zeros)
      },
    ],
    [
      'pings whose answers it does not read',
      (peer: RawPeer) => {
        peer.pause()
        return () => Buffer.concat(Array.from({ length: 64 }, () => frame(PING, SYN, 0, 1)))
      },
    ],
  ] as const) {
    for (const suffix of ['', '/ws']) {
      it(`a client over tcp${suffix} keeps its memory when a peer sends ${what}`, async () => {
        const listener = await rawListener(
          (peer: RawPeer) => {
            // The connection exists on the client's side once the first bytes arrive.
            let isAttacking = false
            peer.listen(() => {
              if (!isAttacking) void flood(peer, attack(peer))
              isAttacking = true
            })
          },
          [`/ip4/127.0.0.1/tcp/0${suffix}`],
        )
        ends.push(() => listener.stop())
        await expectSmall({ kind: 'libp2p', count: 8, ...listener }, [...FAILED, 'MESSAGE_TOO_LARGE'])
      })
    }
  }

  it('a client keeps its memory when a socket sends protocol names without end instead of a handshake', async () => {
    const line = names('/no/such/thing')
    const server = createServer((socket) =>
      pour(socket, Buffer.concat(Array.from({ length: 4_096 }, () => line)), names(MULTISTREAM)),
    )
    await expectSmall({ kind: 'libp2p', key, addresses: [`/ip4/127.0.0.1/tcp/${await listen(server)}`] }, FAILED)
  })

  it('a client keeps its memory when a WebSocket sends one message of 64 MiB', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    const http = createHttpServer()
    http.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('error', () => {})
        webSocket.send(new Uint8Array(64 * 2 ** 20))
      }),
    )
    await expectSmall({ kind: 'libp2p', key, addresses: [`/ip4/127.0.0.1/tcp/${await listen(http)}/ws`] }, FAILED)
  })

  for (const [what, headers, body] of [
    ['without end', {}, zeros],
    ['of compressed zeros without end', { 'Content-Encoding': 'gzip' }, gzipSync(new Uint8Array(64 * 2 ** 20))],
  ] as const) {
    it(`a client over HTTPS keeps its memory when a reply comes ${what}`, async () => {
      const address = await https((request, response) => {
        response.writeHead(200, headers)
        pour(response, body, body)
        request.resume()
      })
      await expectSmall({ kind: 'https', key, addresses: [address] }, ['MESSAGE_TOO_LARGE'])
    })
  }

  it('a client over HTTPS keeps its memory when a reply comes in chunks of one byte', async () => {
    const address = await https((_, response) => {
      // Each write becomes a chunk of its own.
      const one = Buffer.from('1\r\n0\r\n'.repeat(8 * KIB))
      response.writeHead(200, { 'Transfer-Encoding': 'chunked' })
      response.flushHeaders()
      pour(response.socket!, one, one)
    })
    await expectSmall({ kind: 'https', key, addresses: [address] }, ['MESSAGE_TOO_LARGE'])
  })
})

/** Writes `first`, then `next` again and again until the other side closes. */
function pour(sink: Socket | import('node:http').ServerResponse, next: Uint8Array, first: Uint8Array): void {
  let sent = 0
  const more = (): void => {
    while (!sink.destroyed && sent < ATTACK_MAX_BYTES) {
      sent += next.length
      if (!sink.write(next)) return
    }
  }
  sink.on('error', () => {})
  sink.on('drain', more)
  sink.write(first)
  more()
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => open.add(socket))
  ends.push(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function https(answer: Parameters<typeof createHttpsServer>[1] & object): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${await listen(createHttpsServer(LOOPBACK_CERTIFICATE, answer as never))}/tls/http`
}
