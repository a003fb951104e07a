/**
 * An HTTP server on loopback, for the control server, the probes and the web app. Connections and waiting times are
 * bounded.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Reachable from this machine only. */
export const LOCAL_ADDRESS = '127.0.0.1'

interface LocalHttpInit {
  /** 0 takes any free port. */
  port?: number
  connectionsMax: number
  /** The deadline for the headers, and for the whole request. */
  requestMaxMs: number
}
export interface LocalHttp {
  readonly port: number
  /** Closes open connections too. */
  stop(): Promise<void>
}

/** Resolves when the server listens. Rejects with the error of node:http when the port is taken. */
export async function serveLocally(handler: RequestListener, init: LocalHttpInit): Promise<LocalHttp> {
  const server = createServer(handler)
  server.maxConnections = init.connectionsMax
  server.requestTimeout = init.requestMaxMs
  server.headersTimeout = init.requestMaxMs
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
