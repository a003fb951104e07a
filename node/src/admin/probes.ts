/**
 * The probes /healthz and /metrics: read-only answers on ports of 127.0.0.1 that the operator sets. node/README.md,
 * "Operating". They need no token, because a scraper is configured once and the control token changes at every start.
 * A probe's port therefore answers nothing else. The Host header must name this machine, so that no web page reads a
 * probe through a DNS name that the page controls.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LOCAL_ADDRESS, type LocalHttp, serveLocally } from '../local/local-http.ts'
import type { Log } from '../platform/log.ts'
import { missingParts, type NextPeriod } from './node-status.ts'

/** One health check and a few scrapers. */
const CONNECTIONS_MAX = 8
const REQUEST_MAX_MS = 5_000

export interface ProbeAnswer {
  status: number
  type: string
  body: string
}

/** Resolves when the server listens; it answers GET and HEAD of `path` only. Rejects as node:http does when the port is taken. */
export function probeServer(
  port: number,
  path: `/${string}`,
  probe: () => ProbeAnswer | Promise<ProbeAnswer>,
  log: Log,
): Promise<LocalHttp> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, path, probe).catch(() => {
      log.error('admin.probe-failed')
      response.destroy()
    })
  }
  return serveLocally(handle, { port, connectionsMax: CONNECTIONS_MAX, requestMaxMs: REQUEST_MAX_MS })
}

interface HealthFacts {
  health: string
  nextPeriod?: NextPeriod | undefined
  /** Reports of which the central peer computes some degrees only. */
  quarantined?: number
  /** Reports that the circuit breaker of the central peer stopped. */
  stopped?: number
}

/**
 * 200 while the peer serves, otherwise 503. The lines of the body are the state of health, the federation and the salting.
 * Other lines count the parts of the next period that a salt node lacks, or the quarantined and the stopped reports of a
 * central peer. These change no status, because a restart would lose more seeds and compute no more.
 */
export function healthAnswer(
  { health, nextPeriod, quarantined = 0, stopped = 0 }: HealthFacts,
  federationId: string,
  salting: string,
): ProbeAnswer {
  const period = nextPeriod === undefined ? '' : nextPeriodLine(nextPeriod)
  const reports = `${quarantined > 0 ? `quarantined ${quarantined}\n` : ''}${stopped > 0 ? `stopped ${stopped}\n` : ''}`
  const body = `${health}\nfederation ${federationId}\nsalting ${salting}\n${period}${reports}`
  return { status: health === 'serving' ? 200 : 503, type: 'text/plain', body }
}

function nextPeriodLine({ missing, parts, neededMs }: NextPeriod): string {
  return `next period lacks ${missingParts({ missing })} of ${parts} parts, needed from ${new Date(neededMs).toISOString()}\n`
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  probe: () => ProbeAnswer | Promise<ProbeAnswer>,
): Promise<void> {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (name !== LOCAL_ADDRESS && name !== 'localhost')
    return send(response, 403, 'text/plain', `the Host header expected ${LOCAL_ADDRESS} or localhost\n`)
  if (request.url !== path) return send(response, 404, 'text/plain', `this port answers ${path} only\n`)
  // Load balancers ask with HEAD; node:http leaves the body of its answer out.
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'text/plain', 'expected GET or HEAD\n')
  const { status, type, body } = await probe()
  send(response, status, type, body)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', connection: 'close' })
  response.end(body)
}
