/**
 * Sends a request to the control server of the peer that runs on a directory. node/README.md, "Operating".
 * Throws NODE_NOT_RUNNING when no peer answers, and otherwise the error code of the peer's reply.
 */
import { request as httpRequest } from 'node:http'
import { type ErrorData, FederationError } from '@geotrace/core-wasm/wire'
import { LOCAL_ADDRESS } from '../local/local-http.ts'
import { type AdminFile, readAdminFile } from './admin-file.ts'

/** Holds ten thousand report codes or reports; a larger reply comes from another program. */
const REPLY_MAX_BYTES = 8 << 20
/** A reply may wait until the risk engine has computed many reports. */
const REPLY_MAX_MS = 60_000

/** The reply's JSON. */
export async function adminRequest(
  dir: string,
  method: 'GET' | 'POST',
  path: `/${string}`,
  body?: unknown,
): Promise<unknown> {
  const file = await readAdminFile(dir)
  if (file === undefined) throw notRunning(dir)
  const { status, text } = await exchange(dir, file, method, path, body)
  // After a crash, another program may listen on this port and answer anything.
  const value = parse(text) as { code?: keyof ErrorData; message?: string; data?: never } | undefined
  if (value === undefined || status === 401 || status === 403) throw notRunning(dir)
  if (status === 200) return value
  throw new FederationError(value.code ?? 'FORBIDDEN', value.message ?? 'refused', value.data as never)
}

function exchange(
  dir: string,
  { port, token }: AdminFile,
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const request = httpRequest({
      host: LOCAL_ADDRESS,
      port,
      method,
      path,
      agent: false,
      timeout: REPLY_MAX_MS,
      headers: {
        authorization: `Bearer ${token}`,
        ...(content === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
      },
    })
    const fail = (cause: unknown): void => reject(notRunning(dir, cause))
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

function notRunning(dir: string, cause?: unknown): FederationError<'NODE_NOT_RUNNING'> {
  return new FederationError(
    'NODE_NOT_RUNNING',
    `no node runs on ${dir}; start it (geotrace salt run or geotrace central run) or name its directory with --dir`,
    { dir },
    { cause },
  )
}
