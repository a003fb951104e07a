/**
 * Serves the web app on loopback: a folder of built files and a few JSON documents, under a strict content security policy.
 * The server is static, knows no user and logs nothing. sirv serves the files.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import sirv from 'sirv'
import { LOCAL_ADDRESS, serveLocally } from './local-http.ts'

export interface WebServerInit {
  /** The folder of the built files; `index.html` is the page. */
  folder: string
  /** JSON documents by path, for example `/federation.json`. */
  documents?: Readonly<Record<string, unknown>>
  /** 0 takes any free port. */
  port?: number
}
export interface WebServer {
  /** Ends with a slash. */
  readonly url: string
  stop(): Promise<void>
}

/** A browser opens six connections a page, so this is enough for a class of 40 on one demo. */
const CONNECTIONS_MAX = 256
const REQUEST_MAX_MS = 10_000

/**
 * Allows scripts, workers and styles of this origin only, and the core's WebAssembly. WebSockets to any address are allowed,
 * because the page dials the peers of the certified roster and rosters change. Noise checks the key of each peer.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'geolocation=(self), camera=(self), microphone=(), interest-cohort=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export async function startWebServer({ folder, documents = {}, port = 0 }: WebServerInit): Promise<WebServer> {
  const files = sirv(folder, { etag: true, setHeaders: (response, path) => cache(response, path) })
  const texts = new Map(Object.entries(documents).map(([path, value]) => [path, JSON.stringify(value, null, 2)]))
  const handle = (request: IncomingMessage, response: ServerResponse): unknown => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405)
    const text = texts.get(request.url ?? '')
    if (text !== undefined) {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' })
      return response.end(request.method === 'HEAD' ? undefined : text)
    }
    return files(request, response, () => refuse(response, 404))
  }
  const http = await serveLocally(handle, { port, connectionsMax: CONNECTIONS_MAX, requestMaxMs: REQUEST_MAX_MS })
  return { url: `http://${LOCAL_ADDRESS}:${http.port}/`, stop: http.stop }
}

/** Asset names contain a hash of their content, so browsers may keep them. Other files are revalidated each time. */
function cache(response: ServerResponse, path: string): void {
  const lasting = path.startsWith('/assets/')
  response.setHeader('Cache-Control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' })
  response.end()
}
