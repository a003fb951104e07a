/**
 * /healthz and /metrics: read-only answers on a fixed port of 127.0.0.1, each asked for by an option. README "Operating".
 * Without a token, because probes and scrapers are configured once and the control token changes at every start and
 * would let them control the node; so they get a port that can do nothing else. The Host header must name this machine,
 * so that no web page can read them by way of a name it controls.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Log } from '../log.ts'
import { ADMIN_ADDRESS } from './admin-file.ts'
import type { NodeReport } from './report.ts'

/** A probe and two scrapers. */
const CONNECTIONS_MAX = 8
const REQUEST_MAX_MS = 5_000

export interface ProbeAnswer {
  status: number
  type: string
  body: string
}
export interface ProbeServer {
  readonly port: number
  stop(): Promise<void>
}

/** A server that listens already and answers GET of one path. Rejects as node:http does when the port is taken. */
export async function probeServer(
  port: number,
  path: `/${string}`,
  probe: () => ProbeAnswer | Promise<ProbeAnswer>,
  log: Log,
): Promise<ProbeServer> {
  const server = createServer((request, response) => {
    answer(request, response, path, probe).catch(() => {
      log.error('admin.probe-failed')
      response.destroy()
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  server.requestTimeout = REQUEST_MAX_MS
  server.headersTimeout = REQUEST_MAX_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, ADMIN_ADDRESS, resolve)
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** 200 while the node serves, 503 otherwise, and one word why. */
export function healthAnswer({ health }: Pick<NodeReport, 'health'>): ProbeAnswer {
  return { status: health === 'serving' ? 200 : 503, type: 'text/plain', body: `${health}\n` }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  probe: () => ProbeAnswer | Promise<ProbeAnswer>,
): Promise<void> {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (name !== ADMIN_ADDRESS && name !== 'localhost') return send(response, 403, 'text/plain', 'wrong host\n')
  if (request.url !== path) return send(response, 404, 'text/plain', `there is only ${path}\n`)
  if (request.method !== 'GET') return send(response, 405, 'text/plain', 'GET only\n')
  const { status, type, body } = await probe()
  send(response, status, type, body)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' })
  response.end(body)
}
