/**
 * libp2p's WebSocket transport with the bounds it lacks (read and tried in @libp2p/websockets 10.1.21): a socket that
 * never speaks is held for ever and keeps `close` waiting, a message may have 100 MiB, `abort` leaves the socket open
 * because it closes with a code that `ws` refuses, and nobody listens for `error`, so one malformed frame from anybody
 * ends the process. PROTOCOL.md §6.5.
 */
import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Listener, MultiaddrConnection } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import type { WebSocket } from 'ws'
import { type HostLimits, WEBSOCKET_MESSAGE_MAX_BYTES } from './limits.ts'
import { addressToSource } from './requester.ts'

type Transport = ReturnType<typeof webSockets>

/** The parts of the listener that it keeps to itself; a test notices when they are renamed. */
interface Inside {
  readonly server: Server
  readonly wsServer: {
    readonly options: { maxPayload?: number }
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: Upgraded): void
  }
}
type Upgraded = (socket: WebSocket, request: IncomingMessage) => void

export function guardedWebSockets(limits: HostLimits): Transport {
  const { upgradeMs } = limits
  const http = { headersTimeout: upgradeMs, requestTimeout: upgradeMs, connectionsCheckingInterval: upgradeMs }
  const make = webSockets({ http })
  return (components) => {
    const transport = make(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => guard(createListener(options), limits)
    return transport
  }
}

/** Ends the socket under a WebSocket connection that was aborted; does nothing for others. */
export function terminateWebSocket(connection: MultiaddrConnection): void {
  const { websocket } = connection as { websocket?: { terminate?: () => void } }
  websocket?.terminate?.()
}

function guard(listener: Listener, limits: HostLimits): Listener {
  const { server, wsServer } = listener as unknown as Inside
  const sockets = new Set<Socket>()
  // Without their upgrade yet, in the order of their coming; after it the connection book counts them.
  const pending = new Map<Duplex, string>()
  wsServer.options.maxPayload = WEBSOCKET_MESSAGE_MAX_BYTES
  const handleUpgrade = wsServer.handleUpgrade.bind(wsServer)
  wsServer.handleUpgrade = (request, socket, head, done) => {
    pending.delete(socket)
    handleUpgrade(request, socket, head, (webSocket, asked) => {
      webSocket.on('error', () => webSocket.terminate())
      done(webSocket, asked)
    })
  }
  server.maxConnections = limits.connections + limits.pending
  server.on('connection', (socket) => {
    const prefix = socketToPrefix(socket)
    if ([...pending.values()].filter((item) => item === prefix).length >= limits.pendingPerPrefix) {
      socket.destroy()
      return
    }
    // Nobody can lock others out by saying nothing: the oldest goes.
    if (pending.size >= limits.pending) [...pending.keys()][0]!.destroy()
    sockets.add(socket)
    pending.set(socket, prefix)
    socket.once('close', () => {
      sockets.delete(socket)
      pending.delete(socket)
    })
    // `ws` lifts this timeout once the upgrade is done; until then silence ends the socket.
    socket.setTimeout(limits.upgradeMs, () => socket.destroy())
  })
  const close = listener.close.bind(listener)
  listener.close = async () => {
    const closing = close()
    for (const socket of sockets) socket.destroy()
    await closing
  }
  return listener
}

function socketToPrefix(socket: Socket): string {
  const { remoteAddress = '', remoteFamily } = socket
  return addressToSource(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`).prefix ?? ''
}
