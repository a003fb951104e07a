/**
 * The HTTPS listener of a host: the same frames, for clients without libp2p. PROTOCOL.md §6.1, §6.5.
 * It shares the port of the secure WebSocket and takes its requests from that server. It counts connections in the table
 * of all connections; every read and write has a bound and a deadline. A refusal is a reply with HTTP status 200. Only an
 * input that is no request of the protocol gets another HTTP status.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@geotrace/core-wasm'
import type { Protocol } from '@geotrace/core-wasm/wire'
import { concatBytes } from '@geotrace/core-wasm/wire'
import { withDeadline } from '../deadline.ts'
import type { ConnectionTable } from '../guard/connection-table.ts'
import { addressToSource, type Source } from '../guard/requester.ts'
import { type WorkMeter, workMeter } from '../guard/work-meter.ts'
import { type HostLimits, INBOUND_BYTES_MAX, STREAMS_PER_CONNECTION, WORK_PER_KIB, WORK_PER_STREAM } from '../limits.ts'
import type { Requester } from '../protocol.ts'

export interface HttpsListenerInit {
  limits: HostLimits
  table: ConnectionTable
  clock: Clock
  /** Monotonic, ms. */
  now(): number
  /** The protocol served under this path. The path is the id of the protocol. */
  protocol(path: string): Protocol | undefined
  /** The reply to a request. A refusal is a reply too. */
  answer(protocol: Protocol, request: Uint8Array, from: Requester): Promise<Uint8Array>
  /** The reply to a request that the host refuses because it is overloaded. */
  refuse(protocol: Protocol): Uint8Array
  /** Whether the host refuses further requests. */
  isFull(): boolean
  /** Closes a connection to make room for one of `source`. Returns false when no connection may be closed. */
  makeRoom(source: Source, isFull: boolean): boolean
  /** Bytes of all incomplete requests together. */
  heldBytesMax?: number
}

/** Whether a multiaddr is an HTTPS address, which libp2p neither dials nor listens on. */
export function isHttpsAddress(address: string): boolean {
  return /\/https?(\/|$)/.test(address)
}

/** Takes over the HTTP requests of a WebSocket server, which does not answer them. */
export type ServeHttps = (server: Server) => void

/** Bytes of the headers of a request. Our client's and a browser's have less than 1 KiB. */
export const HTTP_HEADERS_MAX_BYTES = 8_192
const KIB = 1_024
/** A browser repeats the CORS preflight once a day. */
const PREFLIGHT_S = 86_400

interface Visitor {
  readonly source: Source
  readonly work: WorkMeter
  /** Unanswered requests of this connection, because HTTP/1.1 allows pipelining. */
  underWay: number
}

export function httpsListener(init: HttpsListenerInit): ServeHttps {
  const { limits, table, clock, now, heldBytesMax = INBOUND_BYTES_MAX } = init
  const visitors = new WeakMap<Socket, Visitor>()
  let heldBytes = 0

  function hasRoom(source: Source): boolean {
    const admission = table.admit(source, clock.now())
    if (admission === 'admitted') return true
    const mayFit = admission === 'full' || admission === 'prefix-full'
    return (
      mayFit && init.makeRoom(source, admission === 'full') && table.admit(source, clock.now(), true) === 'admitted'
    )
  }

  /** Counts a connection from its first request. Before that, admission and the bounds of the handshake limit it. */
  function admit(socket: Socket): Visitor | undefined {
    const known = visitors.get(socket)
    if (known !== undefined) return known
    const source = socketToSource(socket)
    if (!hasRoom(source)) return undefined
    table.upgraded(source)
    socket.once('close', () => table.closed(source, false))
    const visitor = { source, work: workMeter(limits.workPerSecond, limits.workBurst), underWay: 0 }
    visitors.set(socket, visitor)
    return visitor
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const visitor = admit(request.socket)
    if (visitor === undefined) return end(response, 503)
    if (!visitor.work.spend(WORK_PER_STREAM, now())) return punish(request, visitor)
    const protocol = init.protocol(request.url ?? '')
    if (protocol === undefined) return end(response, 404)
    if (request.method === 'OPTIONS') return end(response, 204)
    if (request.method !== 'POST') return end(response, 405)
    if (Number(request.headers['content-length'] ?? 0) > protocol.requestMaxBytes) return end(response, 413)
    if (init.isFull() || visitor.underWay >= STREAMS_PER_CONNECTION) return await reply(response, init.refuse(protocol))
    visitor.underWay++
    try {
      const late = () => new Error('the request took too long')
      const body = await withDeadline(limits.readMs, late, () => readBody(request, protocol.requestMaxBytes)).catch(
        () => 408 as const,
      )
      if (typeof body === 'number') return end(response, body)
      if (!visitor.work.spend(Math.ceil(body.length / KIB) * WORK_PER_KIB, now())) return punish(request, visitor)
      await reply(response, await init.answer(protocol, body, { key: undefined, ...visitor.source }))
    } finally {
      visitor.underWay--
    }
  }

  /** The body, or an HTTP error status. */
  async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | 413 | 503> {
    const parts: Uint8Array[] = []
    let length = 0
    try {
      for await (const part of request as AsyncIterable<Uint8Array>) {
        length += part.length
        heldBytes += part.length
        if (length > maxBytes) return 413
        if (heldBytes > heldBytesMax) return 503
        parts.push(part)
      }
      return concatBytes(...parts)
    } finally {
      heldBytes -= length
    }
  }

  function punish({ socket }: IncomingMessage, { source }: Visitor): void {
    table.punish(source, clock.now())
    socket.destroy()
  }

  async function reply(response: ServerResponse, frame: Uint8Array): Promise<void> {
    writeHead(response, 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': frame.length })
    const late = () => new Error('the reply was not taken')
    const taken = () => new Promise<void>((resolve) => response.once('close', resolve).end(frame))
    await withDeadline(limits.writeMs, late, taken)
  }

  return (server) => {
    server.keepAliveTimeout = limits.upgradeMs
    server.removeAllListeners('request')
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      serve(request, response).catch(() => request.socket.destroy())
    })
    boundHandshakes(server, limits)
  }
}

/** Answers an invalid request with an HTTP status, and closes the connection, whose further bytes have no meaning. */
function end(response: ServerResponse, status: number): void {
  if (status !== 204) response.shouldKeepAlive = false
  writeHead(response, status, {})
  response.end(() => {
    if (status !== 204) response.socket?.destroySoon()
  })
}

/** Every web page may send requests, because no answer depends on cookies. No Date header: frames contain their own time. */
function writeHead(response: ServerResponse, status: number, headers: Record<string, string | number>): void {
  response.sendDate = false
  response.writeHead(status, {
    'Access-Control-Allow-Origin': '*',
    ...(status === 204 && {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'content-type',
      'Access-Control-Max-Age': PREFLIGHT_S,
    }),
    'Cache-Control': 'no-store',
    ...headers,
  })
}

/** Bounds unfinished TLS handshakes: in all (the oldest is closed) and of one prefix (further sockets are refused). */
function boundHandshakes(server: Server, limits: HostLimits): void {
  const pending = new Map<string, { socket: Socket; prefix: string }>()
  server.prependListener('connection', (socket: Socket) => {
    const [name, prefix] = [socketToName(socket), socketToSource(socket).prefix ?? '']
    const same = [...pending.values()].filter((item) => item.prefix === prefix)
    if (same.length >= limits.pendingPerPrefix) {
      socket.destroy()
      return
    }
    if (pending.size >= limits.pending) [...pending.values()][0]!.socket.destroy()
    pending.set(name, { socket, prefix })
    socket.once('close', () => pending.delete(name))
  })
  server.on('secureConnection', (socket: Socket) => pending.delete(socketToName(socket)))
}

function socketToName({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function socketToSource({ remoteAddress = '', remoteFamily }: Socket): Source {
  return addressToSource(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`)
}
