/**
 * The control server of a running peer: JSON over HTTP on 127.0.0.1, at a port that the system chooses. node/README.md,
 * "Operating". A request needs the token of admin.json. Its Host header must name this address, so that no web page
 * reaches the server through a DNS name that the page controls. GET only reads. Bodies, waits and connections are bounded.
 * A client asks for a proof of the token first (proof.ts), so that no other program can pose as this server.
 * With `page` the server also serves the status page: the shell to every local process, the content to a session only.
 * With `staff` it serves the console, and takes the tokens of accounts and the sessions of the console. The role of the caller
 * decides about each request (staff/roles.ts).
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { LOCAL_ADDRESS, serveLocally } from '../local/local-http.ts'
import { toCode, toDiskError } from '../platform/disk-error.ts'
import type { Log } from '../platform/log.ts'
import { type Role, removeAdminFile, writeAdminFile } from './admin-file.ts'
import type { ConsoleFiles } from './console-files.ts'
import { PAGE_HEADERS, pageShell } from './page/shell.ts'
import { type PageLogin, pageLogin } from './page-login.ts'
import { ACCOUNT_HEADER, CHALLENGE_HEADER, challengeToProof } from './proof.ts'
import type { Accounts } from './staff/accounts.ts'
import { type Caller, OPERATOR, refusalOf } from './staff/roles.ts'

/** A request is far smaller: an order of report codes or a signed change. Only a reply of 10,000 codes is larger. */
const BODY_MAX_BYTES = 65_536
/** An operator and a console, with room for a browser's parallel requests. */
const CONNECTIONS_MAX = 16
const REQUEST_MAX_MS = 10_000
/** A local client sends its request at once. Silent connections of another local user must not keep the operator out. */
const SILENT_MAX_MS = 1_000
const TOKEN_BYTES = 32

/**
 * Takes the request's JSON, undefined without a body, and who sent it. Returns the reply's JSON. Throws FederationError for a
 * refusal; the client throws the same code.
 */
type AdminRoute = (body: unknown, caller: Caller) => Promise<unknown> | unknown
/** `GET /status` → route. Routes under GET only read. */
export type AdminRoutes = Readonly<Record<`${'GET' | 'POST'} /${string}`, AdminRoute>>

export interface AdminServer {
  readonly port: number
  stop(): Promise<void>
}
/** The staff of the authority and its console. */
export interface Staff {
  readonly accounts: Pick<Accounts, 'byToken' | 'byName' | 'proofKey' | 'takeCode'>
  /** Keeps a line of each action before it happens; default: none. */
  readonly audited?: (routes: AdminRoutes) => AdminRoutes
  /** Undefined when the console was not built. */
  readonly files: ConsoleFiles | undefined
  readonly clock: Pick<Clock, 'now'>
}
interface AdminServerInit {
  role: Role
  /** The peer's directory, in which the server writes admin.json. */
  dir: string
  routes: AdminRoutes
  /** Draws the content of the status page as HTML. */
  page?: () => string
  staff?: Staff
  /** Default: a port that the system chooses. */
  port?: number
  random: Random
  log: Log
}

/** A whole reply of the server. */
interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
type Handler = (request: IncomingMessage) => Promise<Reply>
/** `GET /status` → handler. A Map, so that `GET /constructor` finds nothing. */
type HandlerTable = ReadonlyMap<string, Handler>
/** The caller of a request; undefined for a stranger. */
type Identify = (request: IncomingMessage) => Promise<Caller | undefined>

/** Resolves when the server listens and admin.json is written. */
export async function adminServer(init: AdminServerInit): Promise<AdminServer> {
  const { role, dir, routes, page, staff, port = 0, random, log } = init
  const token = bytesToHex(random(TOKEN_BYTES))
  const login = pageLogin(random, () => staff?.clock.now() ?? 0)
  const hasPage = page !== undefined || staff?.files !== undefined
  const own: AdminRoutes = {
    'GET /me': (_, { name, role: own, lacks }) => ({ name, role: own, ...(lacks && { lacks }) }),
    ...(staff && { 'POST /second-factor/session': (body, caller) => codeToSession(body, caller, staff, login) }),
    ...(hasPage && {
      'POST /login': (_: unknown, caller: Caller) => ({ code: login.newCode(caller), port: http.port }),
    }),
  }
  const identify = callers(token, login, staff)
  const { audited = (all: AdminRoutes) => all } = staff ?? {}
  const handlers: HandlerTable = new Map([
    ...routeHandlers(audited({ ...routes, ...own }), identify),
    ['GET /proof', async (request) => json(200, { proof: await requestToProof(request, token, staff) })],
    ...(hasPage ? [sessionHandler(login)] : []),
    ...(page === undefined ? [] : pageHandlers(page, login)),
    ...consoleHandlers(staff?.files),
  ])
  const unknown = withCaller(identify, async ({ method, url }) =>
    refusal(404, `the server has no route ${method} ${url}`),
  )
  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const address = `${LOCAL_ADDRESS}:${http.port}`
    if (request.headers.host !== address) return refusal(403, `the Host header expected ${address}`)
    return (handlers.get(`${request.method} ${request.url}`) ?? unknown)(request)
  }
  const http = await serveLocally(
    (request, response) => {
      answer(request)
        .then((reply) => send(response, reply))
        .catch((error: unknown) => {
          log.error('admin.failed', { code: toCode(error) })
          response.destroy()
        })
    },
    { port, connectionsMax: CONNECTIONS_MAX, requestMaxMs: REQUEST_MAX_MS, silentMaxMs: SILENT_MAX_MS },
  )
  await writeAdminFile(dir, { role, port: http.port, token, pid: process.pid })
  return {
    port: http.port,
    async stop() {
      await removeAdminFile(dir, token)
      await http.stop()
    },
  }
}

/** The token of admin.json, the token of an account, or a session of the console, whose account may be revoked since. */
function callers(token: string, login: PageLogin, staff: Staff | undefined): Identify {
  return async ({ headers: { authorization } }) => {
    if (isToken(authorization, token)) return OPERATOR
    const secret = toSecret(authorization)
    if (staff === undefined || secret === undefined) return undefined
    const session = login.callerOf(secret)
    if (session === undefined) return await staff.accounts.byToken(secret)
    return session === OPERATOR ? OPERATOR : await staff.accounts.byName(session.name)
  }
}

/** The routes of the peer, each for the callers whose role may use it. */
function routeHandlers(routes: AdminRoutes, identify: Identify): [string, Handler][] {
  return Object.entries(routes).map(([key, route]) => [
    key,
    withCaller(identify, async (request, caller) => {
      try {
        const reason = refusalOf(caller, key)
        if (reason !== undefined) throw new FederationError('FORBIDDEN', reason)
        const body = await readBody(request)
        if (request.method === 'GET' && body !== undefined) throw invalid('a GET request must have no body')
        return json(200, (await route(body, caller)) ?? {})
      } catch (cause) {
        // A disk that is full or fails is an answer. Without one the client would say that no node runs.
        const error = toDiskError(cause, 'directory of this node')
        if (!isFederationError(error)) throw cause
        const { code, message, data } = error
        return json(code === 'MESSAGE_TOO_LARGE' ? 413 : 400, { code, message, data })
      }
    }),
  ])
}

function withCaller(
  identify: Identify,
  handler: (request: IncomingMessage, caller: Caller) => Promise<Reply>,
): Handler {
  return async (request) => {
    const caller = await identify(request)
    return caller === undefined
      ? refusal(401, 'the Authorization header expected a token that is valid')
      : await handler(request, caller)
  }
}

/** A browser brings the code of its link. */
function sessionHandler(login: PageLogin): [string, Handler] {
  return [
    'POST /session',
    async (request) => {
      const code = await readBody(request).catch(() => undefined)
      const session = typeof code === 'string' ? login.enter(code) : undefined
      if (session === undefined) return refusal(401, 'the link was used before: print a new one')
      return json(200, { session })
    },
  ]
}

/** A session of an account, for a code of its second factor. */
async function codeToSession(
  body: unknown,
  { lacks: _, ...caller }: Caller,
  { accounts }: Staff,
  login: PageLogin,
): Promise<{ session: string }> {
  await accounts.takeCode(caller.name, String((body as { code?: unknown } | undefined)?.code))
  return { session: login.newSession(caller) }
}

/** The status page. The control token does not open it. */
function pageHandlers(drawPage: () => string, login: PageLogin): [string, Handler][] {
  return [
    ['GET /', async () => html(pageShell())],
    [
      'GET /page',
      async ({ headers }) => {
        const session = toSecret(headers.authorization)
        if (session === undefined || login.callerOf(session) === undefined) {
          return refusal(401, 'the Authorization header expected a session')
        }
        return html(drawPage())
      },
    ],
  ]
}

/** The files of the console are open to every local process, because they hold no data. */
function consoleHandlers(files: ConsoleFiles = new Map()): [string, Handler][] {
  return [...files].map(([path, file]) => [`GET ${path}`, async () => ({ status: 200, ...file })])
}

/** Open to every local process: the proof reveals nothing about the token, nor about the hash of an account's token. */
async function requestToProof(
  { headers }: IncomingMessage,
  token: string,
  staff: Staff | undefined,
): Promise<string | undefined> {
  const account = headers[ACCOUNT_HEADER]
  const key = account === undefined ? token : await staff?.accounts.proofKey(String(account))
  return key === undefined ? undefined : challengeToProof(key, String(headers[CHALLENGE_HEADER]))
}

function toSecret(header = ''): string | undefined {
  return /^Bearer ([0-9a-f]{64})$/.exec(header)?.[1]
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
      throw new FederationError('MESSAGE_TOO_LARGE', `the body expected at most ${BODY_MAX_BYTES} bytes`, {
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
    throw invalid('the body expected JSON')
  }
}

function html(body: string): Reply {
  return { status: 200, headers: PAGE_HEADERS, body }
}

function json(status: number, value: unknown): Reply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}

function refusal(status: number, message: string): Reply {
  return json(status, { code: 'FORBIDDEN', message })
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, connection: 'close' })
  response.end(body)
}

function invalid(reason: string): FederationError<'COMMAND_INVALID'> {
  return new FederationError('COMMAND_INVALID', reason, { reason })
}
