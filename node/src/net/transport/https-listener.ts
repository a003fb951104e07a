/**
 * The HTTPS listener of a host: the same frames, for clients without libp2p. PROTOCOL.md §6.1, §6.5.
 * It shares the port of the secure WebSocket and takes its requests from that server. It counts connections in the table
 * of all connections; every read and write has a bound and a deadline. A refusal is a reply with HTTP status 200. Only an
 * input that is no request of the protocol gets another HTTP status.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@geotrace/core-wasm'
import {
  STREAMS_PER_CONNECTION,
  WORK_PER_KIB,
  WORK_PER_STREAM,
  type WorkMeter,
  workMeter,
} from '@geotrace/core-wasm/transport'
import type { Protocol } from '@geotrace/core-wasm/wire'
import { concatBytes } from '@geotrace/core-wasm/wire'
import { withDeadline } from '../deadline.ts'
import { type Admission, admitOrReplace, type ConnectionTable } from '../guard/connection-table.ts'
import type { Evictable } from '../guard/eviction.ts'
import { type RequesterNetworks, socketToRequester } from '../guard/requester.ts'
import { WaitingTable } from '../guard/waiting-table.ts'
import { type HostLimits, INBOUND_BYTES_MAX } from '../limits.ts'
import type { Requester } from '../protocol.ts'
import { type AllowsOrigin, hasRequestHeader, pageToHeaders, requestToPage } from './origins.ts'

interface HttpsListenerInit {
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
  /** Whether web pages of this origin may send requests. */
  allowsOrigin: AllowsOrigin
  /** A connection of this requester is about to be closed for abuse. */
  onAbuse(requester: RequesterNetworks): void
  /** Closes a connection to make room for one of `requester`. Returns false when no connection may be closed. */
  makeRoom(requester: RequesterNetworks, refusal: Admission): boolean
  /** Bytes of all incomplete requests together. */
  bufferedBytesMax?: number
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

interface Client {
  readonly socket: Socket
  readonly requester: RequesterNetworks
  readonly openedMs: number
  lastUseMs: number
  readonly work: WorkMeter
  /** Unanswered requests of this connection, because HTTP/1.1 allows pipelining. */
  unanswered: number
}

interface HttpsListener {
  readonly attach: ServeHttps
  /** The counted connections. Any of them may be closed to make room for another one. */
  occupants(): Evictable[]
}

export function httpsListener(init: HttpsListenerInit): HttpsListener {
  const connections = new HttpsConnections(init)
  return { attach: (server) => connections.attach(server), occupants: () => connections.occupants() }
}

class HttpsConnections {
  readonly #init: HttpsListenerInit
  readonly #bufferedBytesMax: number
  readonly #clients = new Map<Socket, Client>()
  /** Bytes of all incomplete requests. */
  #bufferedBytes = 0

  constructor(init: HttpsListenerInit) {
    this.#init = init
    this.#bufferedBytesMax = init.bufferedBytesMax ?? INBOUND_BYTES_MAX
  }

  attach(server: Server): void {
    server.keepAliveTimeout = this.#init.limits.upgradeMs
    server.removeAllListeners('request')
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => request.socket.destroy())
    })
    boundHandshakes(server, this.#init.limits)
  }

  occupants(): Evictable[] {
    return [...this.#clients.values()].map(({ socket, requester, openedMs, lastUseMs, unanswered }) => ({
      ...requester,
      isBusy: unanswered > 0,
      openedMs,
      lastUseMs,
      close: () => this.#close(socket),
    }))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { now, isFull } = this.#init
    const client = this.#admit(request.socket)
    if (client === undefined) return end(response, 503)
    if (!client.work.spend(WORK_PER_STREAM, now())) return this.#endAbuse(request, client)
    const page = requestToPage(request, this.#init.allowsOrigin)
    if (page === 'foreign') return end(response, 403)
    const isPreflight = request.method === 'OPTIONS'
    for (const [name, value] of Object.entries(pageToHeaders(page, isPreflight))) response.setHeader(name, value!)
    const protocol = this.#init.protocol(request.url ?? '')
    if (protocol === undefined) return end(response, 404)
    if (isPreflight) return end(response, page === 'none' ? 403 : 204)
    if (request.method !== 'POST') return end(response, 405)
    if (!hasRequestHeader(request)) return end(response, 403)
    if (Number(request.headers['content-length'] ?? 0) > protocol.requestMaxBytes) return end(response, 413)
    if (isFull() || client.unanswered >= STREAMS_PER_CONNECTION) {
      return await this.#reply(response, this.#init.refuse(protocol))
    }
    client.unanswered++
    client.lastUseMs = this.#init.clock.now()
    try {
      await this.#answer(request, response, client, protocol)
    } finally {
      client.unanswered--
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, client: Client, protocol: Protocol): Promise<void> {
    const { limits, now } = this.#init
    const late = () => new Error(`the request did not arrive in ${limits.readMs} ms`)
    const reading = withDeadline(limits.readMs, late, () => this.#readBody(request, protocol.requestMaxBytes))
    const body = await reading.catch(() => 408 as const)
    if (typeof body === 'number') return end(response, body)
    if (!client.work.spend(Math.ceil(body.length / KIB) * WORK_PER_KIB, now())) return this.#endAbuse(request, client)
    await this.#reply(response, await this.#init.answer(protocol, body, { key: undefined, ...client.requester }))
  }

  /** Counts a connection from its first request. Before that, admission and the bounds of the handshake limit it. */
  #admit(socket: Socket): Client | undefined {
    const known = this.#clients.get(socket)
    if (known !== undefined) return known
    const { table, clock, limits, makeRoom } = this.#init
    const requester = socketToRequester(socket)
    const nowMs = clock.now()
    // The handshakes under way of other clients at this address are no reason to refuse a finished one.
    const options = { isUpgraded: true }
    if (!admitOrReplace(table, requester, nowMs, (refusal) => makeRoom(requester, refusal), options)) return undefined
    socket.once('close', () => this.#close(socket))
    const work = workMeter(limits.workPerSecond, limits.workBurst)
    const client = { socket, requester, work, openedMs: nowMs, lastUseMs: nowMs, unanswered: 0 }
    this.#clients.set(socket, client)
    return client
  }

  /** Counts the connection no longer and destroys its socket, whose `close` event comes too late for a newcomer. */
  #close(socket: Socket): void {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#clients.delete(socket)
    this.#init.table.closed(client.requester, false)
    socket.destroy()
  }

  /** The body, or an HTTP error status. */
  async #readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | 413 | 503> {
    const parts: Uint8Array[] = []
    let length = 0
    try {
      for await (const part of request as AsyncIterable<Uint8Array>) {
        length += part.length
        this.#bufferedBytes += part.length
        if (length > maxBytes) return 413
        if (this.#bufferedBytes > this.#bufferedBytesMax) return 503
        parts.push(part)
      }
      return concatBytes(...parts)
    } finally {
      this.#bufferedBytes -= length
    }
  }

  #endAbuse({ socket }: IncomingMessage, { requester }: Client): void {
    this.#init.onAbuse(requester)
    socket.destroy()
  }

  async #reply(response: ServerResponse, frame: Uint8Array): Promise<void> {
    writeHead(response, 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': frame.length })
    const late = () => new Error('the client did not read the reply in time')
    const taken = () => new Promise<void>((resolve) => response.once('close', resolve).end(frame))
    await withDeadline(this.#init.limits.writeMs, late, taken)
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

/** No Date header: frames contain their own time. */
function writeHead(response: ServerResponse, status: number, headers: Record<string, string | number>): void {
  response.sendDate = false
  response.writeHead(status, { 'Cache-Control': 'no-store', ...headers })
}

/** Bounds unfinished TLS handshakes, in all and of one prefix: the oldest is closed for a new one. */
function boundHandshakes(server: Server, limits: HostLimits): void {
  const table = new WaitingTable<string>(limits.pending, limits.pendingPerPrefix)
  const sockets = new Map<string, Socket>()
  const forget = (name: string): void => {
    table.delete(name)
    sockets.delete(name)
  }
  server.prependListener('connection', (socket: Socket) => {
    const name = socketToName(socket)
    const evicted = table.add(name, socketToRequester(socket).prefix ?? '')
    if (evicted !== undefined) sockets.get(evicted)?.destroy()
    sockets.set(name, socket)
    socket.once('close', () => forget(name))
  })
  // The TLS socket is another object with the same name.
  server.on('secureConnection', (socket: Socket) => forget(socketToName(socket)))
}

function socketToName({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
