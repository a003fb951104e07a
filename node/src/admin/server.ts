/**
 * The control server of a running node: JSON over HTTP on 127.0.0.1, a port of the system's choice. README "Operating".
 * A request needs the token of admin.json, and a Host header that names this address, so that no web page can reach it
 * by way of a name it controls. GET changes nothing; bodies, waits and connections are bounded.
 * With a `page` it also serves the status page: its shell to anybody on this machine, its content to a session.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { LOCAL_ADDRESS, serveLocally } from '../local/local-http.ts'
import type { Log } from '../platform/log.ts'
import { removeAdminFile, writeAdminFile } from './admin-file.ts'
import { PAGE_HEADERS, pageShell } from './page/shell.ts'
import { type PageLogin, pageLogin } from './page-login.ts'

/** A list of ten thousand codes is 200 KB; what comes in is far smaller. */
const BODY_MAX_BYTES = 65_536
/** An operator and a console. */
const CONNECTIONS_MAX = 16
const REQUEST_MAX_MS = 10_000
const TOKEN_BYTES = 32

/** Takes the request's JSON (undefined without a body), returns the reply's. Throws FederationError for a refusal. */
export type AdminRoute = (body: unknown) => Promise<unknown> | unknown
/** `GET /status` → route. Routes under GET only read. */
export type AdminRoutes = Readonly<Record<`${'GET' | 'POST'} /${string}`, AdminRoute>>

export interface AdminServer {
  readonly port: number
  stop(): Promise<void>
}
export interface AdminServerInit {
  /** The node's directory; gets admin.json. */
  dir: string
  routes: AdminRoutes
  /** The content of the status page, HTML. */
  page?: () => string
  random: Random
  log: Log
}

interface Surface {
  readonly routes: AdminRoutes
  readonly token: string
  readonly page: { readonly draw: () => string; readonly login: PageLogin } | undefined
}

/** A server that listens already. */
export async function adminServer({ dir, routes, page, random, log }: AdminServerInit): Promise<AdminServer> {
  const token = bytesToHex(random(TOKEN_BYTES))
  const login = pageLogin(random)
  const loginRoute: AdminRoutes = page === undefined ? {} : { 'POST /login': () => ({ code: login.newCode() }) }
  const surface: Surface = { routes: { ...routes, ...loginRoute }, token, page: page && { draw: page, login } }
  const http = await serveLocally(
    (request, response) => {
      answer(request, response, surface, http.port).catch(() => {
        log.error('admin.failed')
        response.destroy()
      })
    },
    { connectionsMax: CONNECTIONS_MAX, requestMaxMs: REQUEST_MAX_MS },
  )
  await writeAdminFile(dir, { port: http.port, token, pid: process.pid })
  return {
    port: http.port,
    async stop() {
      await removeAdminFile(dir, token)
      await http.stop()
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, token, page }: Surface,
  port: number,
): Promise<void> {
  const host = request.headers.host
  if (host !== `${LOCAL_ADDRESS}:${port}`) return reply(response, 403, refusal('wrong host'))
  if (page !== undefined && (await answerPage(request, response, page))) return
  if (!isToken(request.headers.authorization, token)) return reply(response, 401, refusal('no token'))
  const key = `${request.method} ${request.url}` as keyof AdminRoutes
  const route = Object.hasOwn(routes, key) ? routes[key] : undefined
  if (route === undefined) return reply(response, 404, refusal(`there is no ${request.method} ${request.url}`))
  try {
    const body = await readBody(request)
    if (request.method === 'GET' && body !== undefined) throw invalid('GET takes no body')
    reply(response, 200, (await route(body)) ?? {})
  } catch (error) {
    if (!isFederationError(error)) throw error
    const { code, message, data } = error
    reply(response, code === 'MESSAGE_TOO_LARGE' ? 413 : 400, { code, message, data })
  }
}

/** The three requests of a browser; false for any other. */
async function answerPage(
  request: IncomingMessage,
  response: ServerResponse,
  { draw, login }: NonNullable<Surface['page']>,
): Promise<boolean> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /':
      html(response, pageShell())
      return true
    case 'POST /session': {
      const code = await readBody(request).catch(() => undefined)
      const session = typeof code === 'string' ? login.enter(code) : undefined
      if (session === undefined) reply(response, 401, refusal('this link was opened before'))
      else reply(response, 200, { session })
      return true
    }
    case 'GET /page': {
      const session = /^Bearer ([0-9a-f]+)$/.exec(request.headers.authorization ?? '')?.[1]
      if (session === undefined || !login.isSession(session)) reply(response, 401, refusal('no session'))
      else html(response, draw())
      return true
    }
    default:
      return false
  }
}

function html(response: ServerResponse, text: string): void {
  response.writeHead(200, { ...PAGE_HEADERS, connection: 'close' })
  response.end(text)
}

function isToken(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_MAX_BYTES) {
      throw new FederationError('MESSAGE_TOO_LARGE', `a request may have ${BODY_MAX_BYTES} bytes`, {
        size,
        max: BODY_MAX_BYTES,
      })
    }
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw invalid('the body is not JSON')
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' })
  response.end(JSON.stringify(body))
}

function refusal(message: string): { code: string; message: string } {
  return { code: 'FORBIDDEN', message }
}

function invalid(reason: string): FederationError<'COMMAND_INVALID'> {
  return new FederationError('COMMAND_INVALID', reason, { reason })
}
