/**
 * The web app's server on loopback: a folder of built files and a few documents beside them, under a strict
 * content security policy. Static; it knows no user and logs nothing. Files by sirv.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import sirv from 'sirv'
import { LOCAL_ADDRESS, serveLocally } from './local-http.ts'

export interface WebServerInit {
  /** Built files; `index.html` is the page. */
  folder: string
  /** JSON served beside the files, by path: `/federation.json`. */
  documents?: Readonly<Record<string, unknown>>
  /** 0: any free one. */
  port?: number
}
export interface WebServer {
  /** With a slash at the end. */
  readonly url: string
  stop(): Promise<void>
}

/** Browsers open six connections a page; this is for a class in front of one demo. */
const CONNECTIONS_MAX = 256
const REQUEST_MAX_MS = 10_000

/**
 * Scripts, workers and styles from here only, and the core's WebAssembly. Peers are dialled where the certified roster
 * says, and rosters change, so WebSockets are not narrowed further: Noise checks each peer's key.
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

/** Names of built assets hold a hash of their content; everything else is asked for again. */
function cache(response: ServerResponse, path: string): void {
  const lasting = path.startsWith('/assets/')
  response.setHeader('Cache-Control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' })
  response.end()
}
