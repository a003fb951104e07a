/**
 * Sends a request to the control server of the peer that runs on a directory, or with the file of an account.
 * node/README.md, "Operating". Throws NODE_NOT_RUNNING when no peer runs there, PEER_TIMEOUT when its process gives no whole answer, and otherwise the
 * error code of the peer's reply.
 */
import { request as httpRequest } from 'node:http'
import { bytesToHex, type ErrorData, FederationError } from '@geotrace/core-wasm/wire'
import { LOCAL_ADDRESS } from '../local/local-http.ts'
import { systemRandom } from '../platform/random.ts'
import { type AdminFile, readAdminFile, roleOnDisk } from './admin-file.ts'
import { ACCOUNT_HEADER, answersChallenge, CHALLENGE_HEADER } from './proof.ts'
import type { AccountFile } from './staff/account-file.ts'
import { tokenToHash } from './staff/accounts.ts'

/** Holds ten thousand report codes or reports; a larger reply comes from another program. */
const REPLY_MAX_BYTES = 8 << 20
/** A reply may wait until the risk engine has computed many reports. */
const REPLY_MAX_MS = 60_000
const CHALLENGE_BYTES = 32

/** The way to a control server. */
interface Way {
  readonly port: number
  readonly token: string
  /** The name of the account, unless the token is that of admin.json. */
  readonly account?: string
  /** The key of the server's proof. */
  readonly proofKey: string
  ended(cause?: unknown): FederationError
  /** The error for an answer that did not come whole. */
  unanswered(cause: unknown): FederationError
}

/** An account, with the session that a code of its second factor opened. */
export interface AccountControl extends AccountFile {
  readonly session?: string
}

/** The reply's JSON. `to` is the directory of the peer, or an account. */
export async function adminRequest(
  to: string | AccountControl,
  method: 'GET' | 'POST',
  path: `/${string}`,
  body?: unknown,
): Promise<unknown> {
  const way = typeof to === 'string' ? await dirToWay(to) : accountToWay(to)
  await assertServer(way)
  const authorization = `Bearer ${way.token}`
  const { status, text } = await exchange(way, method, path, { authorization }, body)
  const value = parse(text) as { code?: keyof ErrorData; message?: string; data?: never } | undefined
  if (value === undefined || status === 401 || status === 403) throw way.ended()
  if (status === 200) return value
  throw new FederationError(value.code ?? 'FORBIDDEN', value.message ?? 'refused', value.data as never)
}

/** After a crash, another program may listen on this port. It must learn neither the token nor the request. */
async function assertServer(way: Way): Promise<void> {
  const challenge = bytesToHex(systemRandom(CHALLENGE_BYTES))
  const account = way.account === undefined ? {} : { [ACCOUNT_HEADER]: way.account }
  const { text } = await exchange(way, 'GET', '/proof', { [CHALLENGE_HEADER]: challenge, ...account })
  const { proof } = (parse(text) ?? {}) as { proof?: unknown }
  if (!answersChallenge(way.proofKey, challenge, proof)) throw way.ended()
}

async function dirToWay(dir: string): Promise<Way> {
  const file = await readAdminFile(dir)
  if (file === undefined) throw notRunning(dir, `no node runs on ${dir}`)
  return {
    port: file.port,
    token: file.token,
    proofKey: file.token,
    ended: (cause) => ended(dir, file, cause),
    unanswered: (cause) => noAnswer(dir, file, cause),
  }
}

function accountToWay({ name, port, token, session }: AccountControl): Way {
  const next = 'start the central peer with --control-port, or ask an admin whether the account was revoked'
  const fail = (cause?: unknown): FederationError =>
    new FederationError(
      'NODE_NOT_RUNNING',
      `nothing on port ${port} of this machine knows the account ${name}; ${next}`,
      { dir: '', next },
      { cause },
    )
  const own = { account: name, proofKey: tokenToHash(token) }
  return { port, token: session ?? token, ...own, ended: fail, unanswered: fail }
}

/** Whether a process with this id exists, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function exchange(
  way: Way,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const request = httpRequest({
      host: LOCAL_ADDRESS,
      port: way.port,
      method,
      path,
      agent: false,
      timeout: REPLY_MAX_MS,
      headers: {
        ...headers,
        ...(content === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
      },
    })
    const fail = (cause: unknown): void => reject(way.unanswered(cause))
    request.once('timeout', () => request.destroy(new Error(`no reply within ${REPLY_MAX_MS} ms`)))
    request.once('error', fail)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > REPLY_MAX_BYTES) request.destroy(new Error(`a reply of more than ${REPLY_MAX_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.once('error', fail)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    request.end(content)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The process that wrote admin.json has ended, or it runs and its answer did not come whole. */
function noAnswer(dir: string, file: AdminFile, cause: unknown): FederationError {
  const { pid, role } = file
  if ((cause as NodeJS.ErrnoException).code === 'ECONNREFUSED' || !isAlive(pid)) return ended(dir, file, cause)
  const what = `process ${pid} runs on ${dir} and gave no whole answer`
  const next = role === 'demo' ? 'stop the demo and start it again' : 'read its log, then run the command again'
  return new FederationError('PEER_TIMEOUT', `${what}; ${next}`, { peer: '', next }, { cause })
}

function ended(dir: string, { pid }: AdminFile, cause?: unknown): FederationError<'NODE_NOT_RUNNING'> {
  return notRunning(dir, `no node runs on ${dir} any more; its last process was ${pid}`, cause)
}

function notRunning(dir: string, what: string, cause?: unknown): FederationError<'NODE_NOT_RUNNING'> {
  const role = roleOnDisk(dir)
  const start =
    role === undefined ? '`geotrace salt run` or `geotrace central run`' : `\`geotrace ${role} run --dir ${dir}\``
  const next = `start it with ${start}, or name the directory of a running node with --dir`
  return new FederationError('NODE_NOT_RUNNING', `${what}; ${next}`, { dir, next }, { cause })
}
