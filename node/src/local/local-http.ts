/** An HTTP server for this machine alone: the control server, the probes, the web app. Bounded in connections and waits. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Only this machine. */
export const LOCAL_ADDRESS = '127.0.0.1'

export interface LocalHttpInit {
  /** 0: any free one. */
  port?: number
  connectionsMax: number
  /** For the headers, and for the whole request. */
  requestMaxMs: number
}
export interface LocalHttp {
  readonly port: number
  /** Closes open connections too. */
  stop(): Promise<void>
}

/** A server that listens already. Rejects as node:http does when the port is taken. */
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
