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
import { guardDoor } from './front-door.ts'
import { type HostLimits, WEBSOCKET_MESSAGE_MAX_BYTES } from './limits.ts'

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
  wsServer.options.maxPayload = WEBSOCKET_MESSAGE_MAX_BYTES
  const handleUpgrade = wsServer.handleUpgrade.bind(wsServer)
  wsServer.handleUpgrade = (request, socket, head, done) =>
    handleUpgrade(request, socket, head, (webSocket, asked) => {
      webSocket.on('error', () => webSocket.terminate())
      done(webSocket, asked)
    })
  const end = guardDoor(server, limits)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const close = listener.close.bind(listener)
  listener.close = async () => {
    const closing = close()
    end()
    for (const socket of sockets) socket.destroy()
    await closing
  }
  return listener
}
