/**
 * An HTTP server on loopback, for the control server, the probes and the web app. Connections and waiting times are
 * bounded.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { boundHeads } from '../net/transport/http-heads.ts'

/** Reachable from this machine only. */
export const LOCAL_ADDRESS = '127.0.0.1'

interface LocalHttpInit {
  /** 0 takes any free port. */
  port?: number
  connectionsMax: number
  /** The deadline for the headers, and for the whole request. */
  requestMaxMs: number
  /** For the head of the first or the next request, when shorter. Node checks its own timeouts every 30 s only. */
  silentMaxMs?: number
}
export interface LocalHttp {
  readonly port: number
  /** Closes open connections too. */
  stop(): Promise<void>
}

/** Resolves when the server listens. Rejects with the error of node:http when the port is taken. */
export async function serveLocally(handler: RequestListener, init: LocalHttpInit): Promise<LocalHttp> {
  const server = createServer(handler)
  const { connectionsMax, requestMaxMs, silentMaxMs = requestMaxMs } = init
  boundHeads(server, 'connection', Math.min(silentMaxMs, requestMaxMs))
  boundConnections(server, connectionsMax)
  server.requestTimeout = requestMaxMs
  server.headersTimeout = requestMaxMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(init.port ?? 0, LOCAL_ADDRESS, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** At the bound the oldest connection without a request is closed, so that silent connections lock nobody out. */
function boundConnections(server: Server, connectionsMax: number): void {
  const open = new Set<Socket>()
  const busy = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const leaver = open.size < connectionsMax ? undefined : [...open].find((item) => !busy.has(item))
    leaver?.destroy()
    if (leaver !== undefined) open.delete(leaver)
    if (open.size >= connectionsMax) {
      socket.destroy()
      return
    }
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    busy.add(socket)
    response.once('close', () => busy.delete(socket))
  })
}
